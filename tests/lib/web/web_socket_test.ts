import { assertEquals, assertRejects } from "@std/assert";
import { seededRandom } from "../../../lib/base/seeded_random.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { WebSocketConn } from "../../../lib/web/web_socket_conn.ts";
import { Events } from "../../support/events.ts";
import {
  clientFrame as frame,
  closePayload,
  exchange,
  readAll,
  serveWeb,
  upgradeHead,
} from "./raw_peer.ts";

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const LIMIT = 1000;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** What came back, as a person would say it: texts, pongs, and the close code, if any. */
function said(bytes: Uint8Array): string[] {
  const told: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const short = view.getUint8(1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126
      ? short
      : head === 4
      ? view.getUint16(2)
      : Number(view.getBigUint64(2));
    const payload = bytes.subarray(at + head, at + head + length);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const opcode = view.getUint8(0);
    if (opcode === 0x80 + TEXT) told.push(text.decode(payload));
    else if (opcode === 0x80 + PONG) told.push(`pong ${String.fromCharCode(...payload)}`);
    else if (opcode === 0x80 + CLOSE) {
      told.push(`close ${payload.length === 0 ? "" : payload[0]! << 8 | payload[1]!}`.trim());
    } else told.push(`opcode ${opcode}`);
    at += head + length;
  }
  return told;
}

/** What an echo over a WebSocket sends to a client that sends these frames, in chunks. */
async function converse(...chunks: Uint8Array[]): Promise<string[]> {
  const [client, server] = memoryConnPair();
  using conn = new WebSocketConn(server, { maxBodyBytes: LIMIT });
  const reading = readAll(client);
  const echoing = (async () => {
    for (let text; (text = await conn.receive()) !== null;) await conn.send(text);
  })().catch(() => {/* The peer is told. */}).then(() => conn.close());
  for (const chunk of chunks) await client.write(chunk);
  await client.closeWrite();
  await echoing;
  const told = said(await reading);
  client.close();
  return told;
}

const part = (opcode: number, text: string | Uint8Array) => frame(opcode, text, { isLast: false });
const smiley = utf8("😀");

/** After the groups of the Autobahn test suite. */
const CASES: [group: string, what: string, frames: Uint8Array[], told: string[]][] = [
  ["framing", "an empty text", [frame(TEXT)], ["", "close 1000"]],
  ...[1, 125, 126, 127, 128, 999, 1000].map((length): typeof CASES[number] => [
    "framing",
    `a text of ${length} bytes`,
    [frame(TEXT, "x".repeat(length))],
    ["x".repeat(length), "close 1000"],
  ]),
  ["framing", "a length in more bytes", [frame(TEXT, "a", { lengthBytes: 2 })], ["close 1002"]],
  ["framing", "a length in 8 bytes", [frame(TEXT, "a", { lengthBytes: 8 })], ["close 1002"]],
  ["framing", "a frame without a mask", [frame(TEXT, "a", { masked: false })], ["close 1002"]],
  ["framing", "a binary message", [frame(BINARY, "a")], ["close 1003"]],
  ["framing", "the end of the stream", [], ["close 1000"]],
  ["framing", "the end inside a frame", [frame(TEXT, "abc").subarray(0, 7)], ["close 1000"]],
  ["pings", "one", [frame(PING, "p")], ["pong p", "close 1000"]],
  ["pings", "one of 125 bytes", [frame(PING, "p".repeat(125))], [
    `pong ${"p".repeat(125)}`,
    "close 1000",
  ]],
  ["pings", "one of 126 bytes", [frame(PING, "p".repeat(126))], ["close 1002"]],
  ["pings", "ten", Array(10).fill(frame(PING, "p")), [...Array(10).fill("pong p"), "close 1000"]],
  ["pings", "a pong that nothing asked for", [frame(PONG, "p"), frame(TEXT, "a")], [
    "a",
    "close 1000",
  ]],
  ...[1, 2, 4, 7].map((reserved): typeof CASES[number] => [
    "reserved bits",
    `${reserved}`,
    [frame(TEXT, "a"), frame(TEXT, "b", { reserved }), frame(TEXT, "c")],
    ["a", "close 1002"],
  ]),
  ["reserved bits", "of a ping", [frame(PING, "b", { reserved: 4 })], ["close 1002"]],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): typeof CASES[number] => [
    "opcodes",
    `${opcode}`,
    [frame(TEXT, "a"), frame(opcode, "b"), frame(TEXT, "c")],
    ["a", "close 1002"],
  ]),
  ["fragments", "two", [part(TEXT, "a"), frame(CONTINUATION, "b")], ["ab", "close 1000"]],
  ["fragments", "empty ones", [part(TEXT, ""), part(CONTINUATION, ""), frame(CONTINUATION)], [
    "",
    "close 1000",
  ]],
  ["fragments", "a ping between them", [
    part(TEXT, "a"),
    frame(PING, "p"),
    frame(CONTINUATION, "b"),
  ], [
    "pong p",
    "ab",
    "close 1000",
  ]],
  ["fragments", "a ping in fragments", [part(PING, "a"), frame(CONTINUATION, "b")], ["close 1002"]],
  ["fragments", "one that continues nothing", [frame(CONTINUATION, "a")], ["close 1002"]],
  ["fragments", "one after a whole message", [frame(TEXT, "a"), frame(CONTINUATION, "b")], [
    "a",
    "close 1002",
  ]],
  ["fragments", "a message inside another", [part(TEXT, "a"), frame(TEXT, "b")], ["close 1002"]],
  ["fragments", "many, and a message after them", [
    part(TEXT, ""),
    ...Array(500).fill(part(CONTINUATION, "ż")),
    frame(CONTINUATION),
    frame(TEXT, "next"),
  ], ["ż".repeat(500), "next", "close 1000"]],
  ["UTF-8", "letters of each length", [frame(TEXT, "aż€😀")], ["aż€😀", "close 1000"]],
  ["UTF-8", "a mark of byte order", [frame(TEXT, "\ufeffa")], ["\ufeffa", "close 1000"]],
  ["UTF-8", "a character in two fragments", [
    part(TEXT, smiley.subarray(0, 2)),
    frame(CONTINUATION, smiley.subarray(2)),
  ], ["😀", "close 1000"]],
  ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map(
    (bytes): typeof CASES[number] => [
      "UTF-8",
      `none: ${bytes}`,
      [frame(TEXT, "a"), frame(TEXT, new Uint8Array(bytes)), frame(TEXT, "c")],
      ["a", "close 1007"],
    ],
  ),
  ["UTF-8", "none, in two fragments", [
    part(TEXT, new Uint8Array([0x61, 0xe2])),
    frame(CONTINUATION, new Uint8Array([0x28, 0xa1])),
  ], ["close 1007"]],
  ["close", "inside a message", [part(TEXT, "a"), frame(CLOSE, closePayload(1000))], [
    "close 1000",
  ]],
  ["close", "with a length in 2 bytes", [frame(CLOSE, "", { lengthBytes: 2 })], ["close 1002"]],
  ["close", "without a mask", [frame(CLOSE, "", { masked: false })], ["close 1002"]],
  ["close", "without a code", [frame(CLOSE)], ["close"]],
  ["close", "and then a text", [frame(CLOSE), frame(TEXT, "a")], ["close"]],
  ["close", "and then a ping", [frame(CLOSE, closePayload(1000)), frame(PING, "a")], [
    "close 1000",
  ]],
  ["close", "with a reason", [frame(CLOSE, closePayload(1000, "r".repeat(123)))], ["close 1000"]],
  ["close", "with a long reason", [frame(CLOSE, closePayload(1000, "r".repeat(124)))], [
    "close 1002",
  ]],
  ["close", "with a reason that is not UTF-8", [
    frame(CLOSE, new Uint8Array([3, 232, 0xff])),
  ], ["close 1007"]],
  ["close", "with one byte", [frame(CLOSE, new Uint8Array([3]))], ["close 1002"]],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999].map(
    (code): typeof CASES[number] => [
      "close codes",
      `${code}`,
      [frame(CLOSE, closePayload(code))],
      [`close ${code}`],
    ],
  ),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map(
    (code): typeof CASES[number] => [
      "close codes",
      `${code}, which none may send`,
      [frame(CLOSE, closePayload(code))],
      ["close 1002"],
    ],
  ),
  ["limits", "a text over the limit", [frame(TEXT, "x".repeat(1001))], ["close 1009"]],
  ["limits", "fragments over the limit", [
    part(TEXT, "x".repeat(600)),
    frame(CONTINUATION, "x".repeat(401)),
  ], ["close 1009"]],
  ["limits", "an announced length", [new Uint8Array([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0])], [
    "close 1009",
  ]],
  ["limits", "the longest length there is", [
    new Uint8Array([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
  ], ["close 1009"]],
  ["limits", "a length of 64 bits", [new Uint8Array([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0])], [
    "close 1002",
  ]],
  ["limits", "a flood of pongs", Array(3000).fill(frame(PONG)), ["close 1008"]],
  ["limits", "a flood of empty fragments", [
    part(TEXT, ""),
    ...Array(3000).fill(part(CONTINUATION, "")),
  ], ["close 1008"]],
  ["limits", "what follows an error is not read", [frame(TEXT, "x".repeat(1001)), frame(TEXT)], [
    "close 1009",
  ]],
];

Deno.test("WebSocketConn answers as RFC 6455 has it", async (test) => {
  for (const [group, what, frames, told] of CASES) {
    await test.step(`${group}: ${what}`, async () => assertEquals(await converse(...frames), told));
  }
});

Deno.test("WebSocketConn gives the same in whatever chunks the frames come", async () => {
  const good = CASES.filter(([, what, , told]) =>
    told.at(-1) === "close 1000" && !what.startsWith("with") && !/^and|inside|^1000/.test(what)
  );
  const bytes = new Uint8Array(
    await new Blob(good.flatMap(([, , frames]) => frames.map((frame) => frame.slice())))
      .arrayBuffer(),
  );
  const expected = [...good.flatMap(([, , , told]) => told.slice(0, -1)), "close 1000"];
  const random = seededRandom(3);

  assertEquals(await converse(...Array.from(bytes, (byte) => new Uint8Array([byte]))), expected);
  for (let round = 0; round < 10; round++) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) chunks.push(bytes.slice(at, at += 1 + random() * 200));
    assertEquals(await converse(...chunks), expected);
  }
});

Deno.test("WebSocketConn ends with a defined close code whatever is changed in the frames", async () => {
  const good = [frame(TEXT, "hello"), part(TEXT, "a"), frame(PING, "p"), frame(CONTINUATION, "ż")];
  const random = seededRandom(4);

  for (let round = 0; round < 500; round++) {
    const bytes = new Uint8Array(good.reduce((sum, { length }) => sum + length, 0));
    good.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
    for (let changes = 1 + random() * 4; changes > 0; changes--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const last = (await converse(bytes)).at(-1) ?? "";
    assertEquals(/^close( (1000|1002|1003|1007|1009|[34]\d{3}))?$/.test(last), true, last);
  }
});

Deno.test("WebSocketConn answers the last of many pings that a peer does not wait for", async () => {
  const stuck = Promise.withResolvers<void>();
  const pings = Array.from({ length: 1000 }, (_, i) => frame(PING, `${i}`.padStart(100)));
  const reads = [...pings, frame(CLOSE)];
  const scripted = new ScriptedConn({ reads, writes: [stuck.promise] });
  using conn = new WebSocketConn(scripted);

  assertEquals(await conn.receive(), null);
  assertEquals(conn.queuedBytes < 10_000, true);
  stuck.resolve();
  await conn.flush();
  await conn.flush();
  conn.close();
  await internalsOf(conn).released;

  const told = said(scripted.written);
  assertEquals(told.slice(-2), [`pong ${"999".padStart(100)}`, "close"]);
  assertEquals(told.length < 100, true);
});

Deno.test("WebSocketConn sends and receives nothing when the signal of the call has aborted", async () => {
  using conn = new WebSocketConn(new ScriptedConn());
  const signal = AbortSignal.abort(new Error("given up"));

  await assertRejects(() => conn.send("a", { signal }), Error, "given up");
  await assertRejects(() => conn.sendFrame(encodeFrame("a"), { signal }), Error, "given up");
  await assertRejects(() => conn.receive({ signal }), Error, "given up");

  assertEquals(conn.queuedBytes, 0);
});

Deno.test("WebSocketConn.send() has the rules of frames", async () => {
  const [client, server] = memoryConnPair();
  using conn = new WebSocketConn(server, { maxBodyBytes: 4 });

  await assertRejects(() => conn.send("\ud800"), TypeError, "lone surrogate");
  await assertRejects(() => conn.send("12345"), RangeError, "the limit is 4");
  await assertRejects(() => conn.send("żżż"), RangeError, "the limit is 4");
  await conn.send("ż");
  await conn.sendFrame(encodeFrame("a whole frame"));
  await conn.closeWrite();
  await assertRejects(() => conn.send("a"), Deno.errors.BrokenPipe);
  conn.close();

  assertEquals(said(await readAll(client)), ["ż", "a whole frame", "close 1000"]);
  client.close();
});

Deno.test("A page's WebSocket opens from its own origin or from none", async (test) => {
  await using server = serveWeb({ closeTimeoutMs: 200 });
  const heads: [what: string, headers: Record<string, string>, status: number][] = [
    ["no origin", {}, 101],
    ["its own origin", { Origin: "http://127.0.0.1" }, 101],
    ["its own origin with a port", { Host: "127.0.0.1:90", Origin: "http://127.0.0.1:90" }, 101],
    ["another origin", { Origin: "http://evil.example" }, 403],
    ["its own origin in capitals", { Host: "LOCALHOST:90", Origin: "http://localhost:90" }, 101],
    ["its own origin and a path", { Origin: "http://127.0.0.1/" }, 403],
    ["two origins", { Origin: "http://127.0.0.1, http://evil.example" }, 403],
    ["an empty origin", { Origin: "" }, 403],
    ["another port", { Host: "127.0.0.1:90", Origin: "http://127.0.0.1:91" }, 403],
    ["another scheme", { Origin: "https://127.0.0.1" }, 403],
    ["the origin of no page", { Origin: "null" }, 403],
    ["a name that leads here", { Host: "evil.example", Origin: "http://evil.example" }, 421],
    ["an old version", { "Sec-WebSocket-Version": "8" }, 426],
    ["a short key", { "Sec-WebSocket-Key": "dGhl" }, 400],
    ["no Upgrade", { Upgrade: "h2c" }, 426],
    ["no Connection", { Connection: "keep-alive" }, 426],
    ["names in lists", { Connection: "keep-alive, Upgrade", Upgrade: "WebSocket" }, 101],
    ["extensions", { "Sec-WebSocket-Extensions": "permessage-deflate" }, 101],
  ];
  for (const [what, headers, status] of heads) {
    await test.step(what, async () => {
      const answer = await exchange(server, upgradeHead(headers), frame(CLOSE));
      assertEquals(answer.slice(0, 12), `HTTP/1.1 ${status}`);
      assertEquals(/extensions/i.test(answer), false);
    });
  }
});

Deno.test("The key of RFC 6455 is answered as there, and frames may follow at once", async () => {
  await using server = serveWeb();

  const answer = await exchange(server, upgradeHead(), frame(TEXT, "early"), frame(CLOSE));

  assertEquals(/^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/m.test(answer), true);
  assertEquals(answer.split("\r\n\r\n")[1], "\x81\x05early\x88\x00");
});

Deno.test("A WebSocket has the events, limits and goodbyes of a connection of frames", async () => {
  const events = new Events();
  await using server = serveWeb({ onEvent: events.take, maxBodyBytes: 10, goodbye: (r) => r });
  const socket = new WebSocket(`ws://127.0.0.1:${server.addr.port}/ws`);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  const texts: string[] = [];
  socket.onmessage = ({ data }) => texts.push(data);
  await new Promise((resolve) => socket.onopen = resolve);
  socket.send("hello");

  const { conn } = await events.next("sent");
  assertEquals([conn.protocol, server.peers().length], ["websocket", 1]);
  server.end("kicked");
  const { code, wasClean } = await closed;

  assertEquals([texts, code, wasClean], [["hello", "kicked"], 1008, true]);
  assertEquals((await events.next("disconnected")).reason, "kicked");
  assertEquals(events.types(), [
    "listening",
    "connected",
    "received",
    "sent",
    "sent",
    "disconnected",
  ]);
});

Deno.test("A WebSocket's broken text ends the conversation as one that is not UTF-8", async () => {
  const events = new Events();
  await using server = serveWeb({ onEvent: events.take });

  await exchange(server, upgradeHead(), frame(TEXT, new Uint8Array([0xff])));

  assertEquals((await events.next("disconnected")).reason, "protocol");
});
