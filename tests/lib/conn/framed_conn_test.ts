import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ByteConn, internalsOf } from "../../../lib/conn/byte_conn.ts";
import { checkedOptions, type FramedConnOptions } from "../../../lib/conn/conn_options.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { mixedTexts, seededRandom, utf8 } from "../../support/bytes.ts";
import { tcpPair } from "../../support/loopback.ts";
import { isPending, turns } from "../../support/turns.ts";

function memoryPair(options?: FramedConnOptions): [FramedConn, FramedConn] {
  const [client, server] = memoryConnPair();
  return [new FramedConn(client, options), new FramedConn(server, options)];
}

async function loopbackPair(options?: FramedConnOptions): Promise<[FramedConn, FramedConn]> {
  const [client, server] = await tcpPair();
  return [new FramedConn(client, options), new FramedConn(server, options)];
}

async function echo(conn: FramedConn): Promise<void> {
  for await (const text of conn) await conn.send(text);
  await conn.closeWrite();
}

Deno.test("FramedConn carries 3,000 mixed messages through TCP and an echo", async () => {
  const [client, server] = await loopbackPair();
  using _client = client;
  using _server = server;
  const texts = mixedTexts(3000, seededRandom(8));
  const echoing = echo(server);

  const sending = (async () => {
    for (const text of texts) await client.send(text);
    await client.closeWrite();
  })();
  const got = [];
  for await (const text of client) got.push(text);
  await Promise.all([sending, echoing]);

  assertEquals(got.length, texts.length);
  assertEquals(got.findIndex((text, i) => text !== texts[i]), -1);
});

Deno.test("FramedConn.send() of concurrent tasks never interleaves, though a write takes one byte", async () => {
  const conn = new ScriptedConn({ writes: Array(10_000).fill(1) });
  const framed = new FramedConn(conn);
  const tasks = ["a", "ё", "🙂"].map(async (letter) => {
    for (let i = 0; i < 5; i++) {
      await framed.send(letter.repeat(100));
      await framed.flush();
    }
  });
  await Promise.all(tasks);
  await conn.closeWrite();

  const reader = new FramedConn(new ScriptedConn({ reads: [conn.written, null] }));
  let messages = 0;
  for await (const text of reader) {
    assertEquals(new Set(text).size, 1);
    messages++;
  }
  assertEquals(messages, 15);
});

Deno.test("FramedConn.send() refuses a lone surrogate and a body over the limit: nothing is sent, and the connection lives on", async () => {
  const [client, server] = memoryPair({ maxBodyBytes: 5 });

  await assertRejects(() => client.send("a\ud83d"), TypeError, "lone surrogate");
  await assertRejects(() => client.send("яяя"), FrameTooLargeError, "of 6 bytes: the limit is 5");
  await assertRejects(() => client.sendBytes(new Uint8Array(6)), FrameTooLargeError);
  await client.send("good");

  assertEquals(await server.receive(), "good");
});

Deno.test("FramedConn.maxBodyBytes may rise after a login, for both directions", async () => {
  const [client, server] = memoryPair();
  server.maxBodyBytes = 5;
  client.send("login");
  client.send("a longer text");
  assertEquals(await server.receive(), "login");

  server.maxBodyBytes = 20;

  assertEquals([server.maxBodyBytes, await server.receive()], [20, "a longer text"]);
  await server.send("an answer as long");
  await assertRejects(() => server.send("x".repeat(21)), FrameTooLargeError);
});

Deno.test("FramedConn.send() waits for a peer on TCP that does not read", async () => {
  const [client, server] = await loopbackPair({ maxBodyBytes: 32 * 1024 * 1024 });
  using _client = client;
  using _server = server;

  const sent = client.send("x".repeat(32 * 1024 * 1024));
  assertEquals(await isPending(sent), true);

  assertEquals((await server.receive())?.length, 32 * 1024 * 1024);
  await sent;
});

Deno.test("FramedConn iterates until the peer has finished, and stays open for answers", async () => {
  const [client, server] = await loopbackPair();
  using _client = client;
  using _server = server;
  for (const text of ["a", "", "c"]) client.send(text);
  await client.closeWrite();

  const got = [];
  for await (const text of server) got.push(text);
  await server.send(got.join());
  await server.closeWrite();

  assertEquals(got, ["a", "", "c"]);
  assertEquals([await client.receive(), await client.receive()], ["a,,c", null]);
  assertEquals([internalsOf(server).finished, internalsOf(client).finished], [true, true]);
});

Deno.test("FramedConn left in the middle of a loop is open and goes on", async () => {
  const [client, server] = memoryPair();
  for (const text of ["a", "b", "c"]) client.send(text);

  for await (const text of server) if (text === "a") break;

  assertEquals([await server.receive(), server.closed], ["b", false]);
});

Deno.test("FramedConn gives each of many connections its own bytes only, though they share buffers", async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => loopbackPair()));
  for (let round = 0; round < 5; round++) {
    await Promise.all(pairs.map(async ([client, server], i) => {
      const text = String.fromCharCode(97 + i).repeat(10 ** round);
      client.send(text);
      assertEquals(await server.receive(), text);
      server.sendBytes(utf8(text));
      assertEquals(await client.receiveBytes(), utf8(text));
    }));
  }
  for (const [client, server] of pairs) {
    client.close();
    assertEquals(await server.receive(), null);
    server.close();
  }
});

Deno.test("FramedConn.receive({ signal }) that is given up loses nothing", async () => {
  const [client, server] = await loopbackPair();
  using _client = client;
  using _server = server;
  const controller = new AbortController();
  const given = server.receive({ signal: controller.signal });
  await turns();

  controller.abort();

  await assertRejects(() => given, DOMException, "aborted");
  client.send("a");
  client.send("b");
  assertEquals([await server.receive(), await server.receive()], ["a", "b"]);
});

Deno.test("FramedConn refuses limits that are no numbers from 0", async () => {
  const [near] = memoryConnPair();
  for (const name of ["idleTimeoutMs", "sendTimeoutMs", "highWaterMarkBytes"]) {
    const options = { [name]: NaN };
    assertThrows(() => new FramedConn(near, options), RangeError, `${name} is NaN`);
    await assertRejects(() => FramedConn.connect({ port: 1, ...options }), RangeError, name);
  }
  assertThrows(() => new FramedConn(near, { maxBodyBytes: -1 }), RangeError);
});

Deno.test("checkedOptions() checks once: what it gives, and a copy of that, is not checked again", () => {
  const checked = checkedOptions({ idleTimeoutMs: 1000 });
  const [near] = memoryConnPair();

  assertStrictEquals(checkedOptions(checked), checked);
  new FramedConn(near, { ...checked, idleTimeoutMs: NaN }).close();
});

Deno.test("FramedConn has the members that a product uses, and no others", () => {
  const [near] = memoryConnPair();
  using conn = new FramedConn(near);
  const members = [FramedConn, ByteConn].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype)
  );

  assertEquals(Reflect.ownKeys(conn), []);
  assertEquals(
    [...new Set(members)].sort().join(" "),
    "abort close closeRead closeWrite closed constructor discard flush localAddr maxBodyBytes queuedBytes " +
      "read readClosed readable receive receiveBytes ref remoteAddr request send sendBytes sendFrame " +
      "unref writable write writtenBytes",
  );
});

Deno.test("FramedConn sends without delay", async () => {
  const [conn, peer] = await tcpPair();
  using _peer = peer;
  let noDelay: boolean | undefined;
  conn.setNoDelay = (value) => noDelay = value;

  new FramedConn(conn).close();

  assertEquals(noDelay, true);
});

Deno.test("FramedConn takes a connection that refuses an option because its peer is gone", async () => {
  const [conn, peer] = await tcpPair();
  conn.setNoDelay = () => {
    throw new Error("Invalid argument");
  };
  peer.close();

  using framed = new FramedConn(conn);

  assertEquals(await framed.receive(), null);
});

Deno.test("FramedConn reports a peer that is gone at a later send() or flush()", async () => {
  const [client, server] = await loopbackPair();
  using _client = client;
  server.close();
  assertEquals(await client.receive(), null);

  const error = await assertRejects(async () => {
    for (let i = 0; i < 1000; i++) {
      client.send("into the void");
      await client.flush();
    }
  });

  assert(
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
    `${error}`,
  );
  await assertRejects(() => client.send("again"));
  client.send("nobody awaits this rejection");
  await turns();
});
