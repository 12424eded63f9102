import { assertEquals, assertMatch } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { seededRandom } from "../../../lib/base/seeded_random.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { HttpConn } from "../../../lib/web/http_conn.ts";
import { Events } from "../../support/events.ts";
import { exchange, readAll, serveWeb, upgradeHead } from "./raw_peer.ts";

const HOST = "Host: 127.0.0.1\r\n";

/** The statuses of the responses to what is sent. */
function statuses(text: string): number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

const ANSWERED: [what: string, request: string, statuses: number[]][] = [
  ["a request", `GET / HTTP/1.1\r\n${HOST}\r\n`, [200]],
  ["a query", `GET /?a=b&c HTTP/1.1\r\n${HOST}\r\n`, [200]],
  ["HEAD", `HEAD / HTTP/1.1\r\n${HOST}\r\n`, [200]],
  ["requests one after the other", `GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(3), [200, 200, 200]],
  ["no more after close", `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`.repeat(2), [200]],
  ["at most 100 requests", `GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(101), Array(100).fill(200)],
  ["a length of 0", `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`, [200]],
  ["spaces around a value", `GET / HTTP/1.1\r\nHost: \t127.0.0.1 \t\r\n\r\n`, [200]],
  ["a path that is not there", `GET /x HTTP/1.1\r\n${HOST}\r\n`, [404]],
  ["another method", `POST / HTTP/1.1\r\n${HOST}\r\n`, [405]],
  ["OPTIONS", `OPTIONS / HTTP/1.1\r\n${HOST}\r\n`, [405]],
  ["a method in lower case letters behind", `GETx / HTTP/1.1\r\n${HOST}\r\n`, []],
  ["HTTP/1.0", `GET / HTTP/1.0\r\n${HOST}\r\n`, [505]],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]],
  ["no version", `GET /\r\n${HOST}\r\n`, [400]],
  ["an absolute target", `GET http://127.0.0.1/ HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a target without a slash", `GET x HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a fragment", `GET /#a HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["two spaces", `GET  / HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a tab in the first line", `GET /\tHTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a NUL", `GET /\0 HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a path that is not ASCII", `GET /é HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a header that is not ASCII", `GET / HTTP/1.1\r\n${HOST}X: é\r\n\r\n`, [400]],
  ["lines that end with LF", `GET / HTTP/1.1\nHost: 127.0.0.1\n\n`, [400]],
  ["a header that ends with LF", `GET / HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n`, [400]],
  ["a CR inside a header", `GET / HTTP/1.1\r\n${HOST}X: a\rY: b\r\n\r\n`, [400]],
  ["a line that goes on (obs-fold)", `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, [400]],
  ["an empty line first", `GET\r\n / HTTP/1.1\r\n${HOST}\r\n`, []],
  ["a space before a colon", `GET / HTTP/1.1\r\n${HOST}X : a\r\n\r\n`, [400]],
  ["a header without a name", `GET / HTTP/1.1\r\n${HOST}: a\r\n\r\n`, [400]],
  ["a header without a colon", `GET / HTTP/1.1\r\n${HOST}X\r\n\r\n`, [400]],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", [400]],
  ["two Hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, [400]],
  ["a body", `GET / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, [400]],
  ["two lengths", `GET / HTTP/1.1\r\n${HOST}${"Content-Length: 0\r\n".repeat(2)}\r\n`, [400]],
  ["lengths in a list", `GET / HTTP/1.1\r\n${HOST}Content-Length: 0, 5\r\n\r\n`, [400]],
  ["a length with a sign", `GET / HTTP/1.1\r\n${HOST}Content-Length: +0\r\n\r\n`, [400]],
  ["chunks", `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400]],
  [
    "a length and chunks",
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    [400],
  ],
  ["an empty coding", `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n`, [400]],
  ["a length in hexadecimal", `GET / HTTP/1.1\r\n${HOST}Content-Length: 0x0\r\n\r\n`, [400]],
  ["an empty length", `GET / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`, [400]],
  [
    "lengths in two spellings",
    `GET / HTTP/1.1\r\n${HOST}Content-Length: 0\r\ncontent-length: 0\r\n\r\n`,
    [400],
  ],
  ["a request after a refused one", `GET /# HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, [
    400,
  ]],
  [
    "a request after an empty line",
    `GET / HTTP/1.1\r\n${HOST}\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    [200, 400],
  ],
  ["an authority as target", `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${HOST}\r\n`, [405]],
  ["a path with two slashes first", `GET //127.0.0.1/ HTTP/1.1\r\n${HOST}\r\n`, [404]],
  ["a first line that goes on", `GET / HTTP/1.1\r\n ${HOST}\r\n`, [400]],
  ["a Host with a user", "GET / HTTP/1.1\r\nHost: a@127.0.0.1\r\n\r\n", [421]],
  ["a head of 8 KiB", `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(8152)}\r\n\r\n`, [200]],
  ["a head of 8 KiB and a byte", `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(8153)}\r\n\r\n`, [431]],
  ["65 headers", `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(64)}\r\n`, [431]],
  ["an address of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:9090\r\n\r\n", [200]],
  ["localhost", "GET / HTTP/1.1\r\nHost: LocalHost:9090\r\n\r\n", [200]],
  ["its own name", "GET / HTTP/1.1\r\nHost: Chat.Example\r\n\r\n", [200]],
  ["a name that leads here (rebinding)", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", [421]],
  ["a name like an address", "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", [421]],
  ["a name with localhost in it", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", [421]],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", [421]],
];

Deno.test("A server answers requests strictly", async (test) => {
  await using server = serveWeb();
  for (const [what, request, expected] of ANSWERED) {
    await test.step(what, async () => {
      assertEquals(statuses(await exchange(server, request)), expected);
    });
  }
});

Deno.test("A response has what keeps a browser safe, and nothing of the request", async () => {
  await using server = serveWeb();

  for (const path of ["/", "/<script>alert(1)</script>"]) {
    const text = await exchange(server, `GET ${path} HTTP/1.1\r\n${HOST}X: secret\r\n\r\n`);
    assertMatch(text, /^content-security-policy: default-src 'none'; script-src 'self'; /m);
    assertMatch(text, /frame-ancestors 'none'\r$/m);
    assertMatch(text, /^x-content-type-options: nosniff\r$/m);
    assertMatch(text, /^referrer-policy: no-referrer\r$/m);
    assertMatch(text, /^cross-origin-resource-policy: same-origin\r$/m);
    assertEquals(/script>|secret|unsafe-inline/.test(text), false);
  }
});

Deno.test("HEAD gets the head that GET gets, and no body", async () => {
  await using server = serveWeb();
  const [got, head] = await Promise.all(
    ["GET", "HEAD"].map((method) => exchange(server, `${method} / HTTP/1.1\r\n${HOST}\r\n`)),
  );

  assertEquals(head, got!.replace(/page\n$/, ""));
});

Deno.test("Requests give the same in whatever chunks they come", async () => {
  await using server = serveWeb();
  const requests = `GET / HTTP/1.1\r\n${HOST}\r\nGET /x HTTP/1.1\r\n${HOST}\r\n${upgradeHead()}`;
  const whole = await exchange(server, requests);
  const random = seededRandom(1);

  for (let round = 0; round < 20; round++) {
    const chunks: string[] = [];
    for (let at = 0; at < requests.length;) {
      const length = 1 + Math.floor(random() * 40);
      chunks.push(requests.slice(at, at += length));
    }
    assertEquals(await exchange(server, ...chunks), whole);
  }
});

Deno.test("A request that was changed anywhere gets a status, or ends the connection", async () => {
  await using server = serveWeb({ closeTimeoutMs: 500 });
  const head = upgradeHead({ Origin: "http://127.0.0.1" });
  const random = seededRandom(2);

  for (let round = 0; round < 300; round++) {
    const bytes = new TextEncoder().encode(head);
    for (let changes = 1 + random() * 3; changes > 0; changes--) {
      bytes[4 + Math.floor(random() * (bytes.length - 4))] = Math.floor(random() * 256);
    }
    const [status = 0] = statuses(await exchange(server, bytes));
    assertEquals(
      [0, 101, 400, 403, 404, 405, 421, 426, 431, 505].includes(status),
      true,
      `${status}`,
    );
  }
});

Deno.test("A page request is no peer, and leaves one event", async () => {
  const events = new Events();
  await using server = serveWeb({ onEvent: events.take });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await conn.write(new TextEncoder().encode(`GET / HTTP/1.1\r\n${HOST}\r\n`));
  await conn.read(new Uint8Array(1024));

  assertEquals([server.connections, server.peers()], [1, []]);
  await conn.closeWrite();
  const { requests, conn: info } = await events.next("requested");

  assertEquals([requests, info.protocol], [1, "http"]);
  assertEquals(events.types(), ["listening", "requested"]);
});

Deno.test("Frames and silence are served as ever beside HTTP", async () => {
  const events = new Events();
  await using server = serveWeb({ onEvent: events.take, idleTimeoutMs: 100 });
  using silent = await FramedConn.connect({ port: server.addr.port });
  using framed = await FramedConn.connect({ port: server.addr.port });

  assertEquals(await framed.request("hello"), "hello");
  framed.close();
  assertEquals((await events.next("connected")).conn.protocol, "frames");
  await events.next("disconnected");
  assertEquals((await events.next("disconnected")).reason, "idle");
  assertEquals(await silent.receive(), null);
});

Deno.test("A peer that is refused is told so in HTTP, or in a frame", async () => {
  await using server = serveWeb({ maxConnections: 1, goodbye: (reason) => reason });
  using _first = await FramedConn.connect({ port: server.addr.port });
  await _first.request("in");

  assertEquals(statuses(await exchange(server, `GET / HTTP/1.1\r\n${HOST}\r\n`)), [503]);
  assertEquals(await exchange(server), "\0\0\0\x04full");
  using silent = await FramedConn.connect({ port: server.addr.port });
  assertEquals(await silent.receive(), "full");
});

const SLOW: [what: string, sent: string, ms: number, statuses: number[]][] = [
  ["an incomplete request", `GET / HTTP/1.1\r\n${HOST}X: `, 10_000, [408]],
  ["a connection that asks no more", `GET / HTTP/1.1\r\n${HOST}\r\n`, 2000, [200]],
];

for (const [what, sent, ms, expected] of SLOW) {
  Deno.test(`HttpConn ends ${what} after ${ms} ms`, async () => {
    using time = new FakeTime();
    const [client, accepted] = memoryConnPair();
    const site = { webSocketPath: "/ws", names: [], respond: () => ({}) };
    using conn = new HttpConn(new FramedConn(accepted), {}, site, false);
    let isOver = false;
    const over = conn.negotiate().then(() => isOver = true);
    await client.write(new TextEncoder().encode(sent));

    await time.tickAsync(ms - 1);
    assertEquals(isOver, false);
    await time.tickAsync(1);
    await over;
    conn.close();

    assertEquals(statuses(String.fromCharCode(...await readAll(client))), expected);
    client.close();
  });
}

Deno.test("Server.pause() ends WebSockets with 1001 and page requests in order", async () => {
  await using server = serveWeb({ goodbye: (reason) => reason });
  const socket = new WebSocket(`ws://127.0.0.1:${server.addr.port}/ws`);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  const goodbye = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
  await new Promise((resolve) => socket.onopen = resolve);
  using page = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await page.write(new TextEncoder().encode(`GET / HTTP/1.1\r\n${HOST}\r\n`));
  await page.read(new Uint8Array(1024));

  const paused = server.pause();
  const rest = await readAll(page);
  page.close();
  await paused;

  assertEquals([await goodbye, (await closed).code, rest.length], ["paused", 1001, 0]);
});
