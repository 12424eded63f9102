import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { isPending, turns } from "../../support/turns.ts";
import { connectToReset } from "../../support/loopback.ts";
import { Socket } from "node:net";
import { spy } from "@std/testing/mock";
import { NodeConn } from "../../../lib/server/node_conn.ts";
import { NodeListener } from "../../../lib/server/node_listener.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

const { AddrInUse, BadResource, BrokenPipe, Busy, ConnectionReset, Interrupted } = Deno.errors;
const bytes = (...values: number[]) => new Uint8Array(values);
const listening = () => new NodeListener({ hostname: "127.0.0.1", port: 0, tcpBacklog: 16 });

/** A conn of Deno's, and the `NodeConn` that was accepted from it. */
async function pair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = listening();
  const { port } = listener.addr;
  return await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
}

async function read(conn: Deno.Conn, atMost = 16): Promise<number[] | null> {
  const p = new Uint8Array(atMost);
  const n = await conn.read(p);
  return n === null ? null : [...p.subarray(0, n)];
}

Deno.test("NodeConn carries bytes in both directions, part by part", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;

  await client.write(bytes(1, 2, 3));
  assertEquals(await server.write(bytes(4)), 1);

  assertEquals([await read(server, 2), await read(server, 2)], [[1, 2], [3]]);
  assertEquals(await read(client), [4]);
});

Deno.test("NodeConn names each end", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;

  assertEquals(server.remoteAddr, client.localAddr as Deno.NetAddr);
  assertEquals(server.localAddr, client.remoteAddr as Deno.NetAddr);
});

Deno.test("NodeConn.read() waits for bytes, one reader at a time", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;

  const reading = read(server);
  await assertRejects(() => read(server), Busy);
  await client.write(bytes(1));

  assertEquals(await reading, [1]);
  assertEquals(await server.read(new Uint8Array()), 0);
});

Deno.test("NodeConn.read() gives what was sent before the end, then null for ever", async () => {
  const [client, server] = await pair();
  using _server = server;

  await client.write(bytes(1));
  client.close();

  assertEquals([await read(server), await read(server), await read(server)], [[1], null, null]);
});

Deno.test("NodeConn.read() is ConnectionReset when the peer resets", async () => {
  using listener = listening();
  const [reset, server] = await Promise.all([
    connectToReset(listener.addr.port),
    listener.accept(),
  ]);
  using _server = server;

  const reading = assertRejects(() => read(server), ConnectionReset);
  reset();

  await reading;
});

Deno.test("NodeConn.write() waits for a peer that does not read, and BrokenPipe or reset ends it", async () => {
  const [client, server] = await pair();
  using _server = server;

  const writing = server.write(new Uint8Array(32_000_000)).catch((error) => error);
  assert(await isPending(writing));
  client.close();

  const error = await writing;
  assert(error instanceof BrokenPipe || error instanceof ConnectionReset, `${error}`);
  await assertRejects(() => server.write(bytes(1)), BrokenPipe);
});

Deno.test("NodeConn does not read far ahead of its reader", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;
  await client.write(bytes(1));
  await read(server);
  let at = 0;
  const writing = (async () => {
    const sent = new Uint8Array(32_000_000);
    while (at < sent.length) at += await client.write(sent.subarray(at, at + 1_000_000));
  })();

  await turns(2_000);
  assert(at < 32_000_000, "all was taken, and nobody reads");
  let received = 0;
  const p = new Uint8Array(100_000);
  while (received < 32_000_000) received += (await server.read(p))!;

  await writing;
  assertEquals(received, 32_000_000);
});

Deno.test("NodeConn.closeWrite() ends one direction only", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;

  await server.closeWrite();
  await server.closeWrite();

  assertEquals(await read(client), null);
  await client.write(bytes(1));
  assertEquals(await read(server), [1]);
  await assertRejects(() => server.write(bytes(2)), BrokenPipe);
});

Deno.test("NodeConn.closeWrite() that waits for a peer that does not read settles at the close", async () => {
  const [client, server] = await pair();
  using _client = client;
  const writing = assertRejects(() => server.write(new Uint8Array(32_000_000)), Interrupted);
  const ending = server.closeWrite();
  assert(await isPending(ending));

  server.close();

  await Promise.all([writing, ending]);
});

Deno.test("NodeConn answers after the peer's half-close", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;

  await client.closeWrite();
  assertEquals(await read(server), null);
  await server.write(bytes(1));

  assertEquals(await read(client), [1]);
});

Deno.test("NodeConn.close() interrupts what waits, and leaves nothing to do but dispose", async () => {
  const [client, server] = await pair();
  using _client = client;
  const reading = read(server).catch((error) => error);
  const writing = server.write(new Uint8Array(32_000_000)).catch((error) => error);

  server.close();

  assertInstanceOf(await reading, Interrupted);
  assertInstanceOf(await writing, Interrupted);
  assertThrows(() => server.close(), BadResource);
  await assertRejects(() => read(server), BadResource);
  await assertRejects(() => server.write(bytes(1)), BadResource);
  await assertRejects(() => server.closeWrite(), BadResource);
  server[Symbol.dispose]();
});

Deno.test("NodeConn hands its settings to the socket", () => {
  const socket = new Socket();
  using delay = spy(socket, "setNoDelay");
  using life = spy(socket, "setKeepAlive");
  using ref = spy(socket, "ref");
  using unref = spy(socket, "unref");
  using conn = new NodeConn(socket);

  for (const on of [undefined, false]) {
    conn.setNoDelay(on);
    conn.setKeepAlive(on);
  }
  conn.unref();
  assertEquals([ref.calls.length, unref.calls.length], [0, 1]);
  conn.ref();

  for (const { calls } of [delay, life]) {
    assertEquals(calls.map(({ args }) => args), [[true], [false]]);
  }
  assertEquals([ref.calls.length, unref.calls.length], [1, 1]);
});

Deno.test("NodeConn has streams", async () => {
  const [client, server] = await pair();
  using _client = client;
  using _server = server;
  await client.write(bytes(1, 2));
  await client.closeWrite();

  assertEquals((await Array.fromAsync(server.readable)).map((chunk) => [...chunk]), [[1, 2]]);
  const writer = server.writable.getWriter();
  await writer.write(bytes(3));
  await writer.close();

  assertEquals([await read(client), await read(client)], [[3], null]);
});

Deno.test("NodeListener tells at once that the port is busy", () => {
  using busy = listening();

  assertThrows(
    () => new NodeListener({ hostname: "127.0.0.1", port: busy.addr.port, tcpBacklog: 1 }),
    AddrInUse,
  );
});

Deno.test("NodeListener listens on addresses only", () => {
  const named = { hostname: "example.invalid", port: 0, tcpBacklog: 1 };

  assertThrows(() => new NodeListener(named), TypeError, "give an address");
});

Deno.test("NodeListener.close() rejects a pending accept, and frees the port", async () => {
  const listener = listening();
  const accepting = assertRejects(() => listener.accept(), BadResource);

  listener.close();

  await accepting;
  await assertRejects(() => listener.accept(), BadResource);
  assertThrows(() => listener.close(), BadResource);
  using again = new NodeListener({ ...listener.addr, tcpBacklog: 1 });
  assertEquals(again.addr, listener.addr);
});

Deno.test("NodeListener gives connection after connection until it is closed, or disposed of", async () => {
  const listener = new NodeListener({ hostname: "localhost", port: 0, tcpBacklog: 1 });
  const { hostname, port } = listener.addr;

  using client = await Deno.connect({ hostname, port });
  for await (const conn of listener) {
    assertEquals(conn.remoteAddr.port, client.localAddr.port);
    conn.close();
    listener.close();
  }

  assertEquals(hostname, "127.0.0.1");
  listener[Symbol.dispose]();
});

Deno.test("NodeListener turns away who was not accepted", async () => {
  const listener = listening();
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using accepted = await listener.accept();
  using waiting = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });

  listener.close();

  assertEquals(await read(waiting).catch(() => null), null);
  await accepted.write(bytes(1));
  assertEquals(await read(client), [1]);
});

testWith(
  PROCESSES,
  "NodeListener.ref() keeps the program alive, and unref() lets it end, as NodeConn's do",
  async () => {
    const program = `
      import { NodeListener } from "${import.meta.resolve("../../../lib/server/node_listener.ts")}";
      const listener = new NodeListener({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
      listener.unref();
      listener.ref();
      console.log(listener.addr.port);
      listener.accept().then((conn) => {
        conn.unref();
        listener.unref();
      });`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", program],
      stdout: "piped",
      // Only so that a program that lives on fails the test.
      signal: AbortSignal.timeout(60_000),
    }).spawn();

    const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    using _conn = await Deno.connect({ hostname: "127.0.0.1", port });

    assertEquals((await child.status).code, 0);
    assertEquals((await lines.next()).done, true);
  },
);
