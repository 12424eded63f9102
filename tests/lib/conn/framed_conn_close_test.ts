import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { framesOf } from "../../support/bytes.ts";
import { tcpPair } from "../../support/loopback.ts";
import { isPending, turns } from "../../support/turns.ts";
import { takeAll } from "../frame/pool.ts";

const { BadResource, BrokenPipe } = Deno.errors;

async function isClosed(conn: Deno.Conn): Promise<boolean> {
  return await conn.write(new Uint8Array()).then(
    () => false,
    (error) => error instanceof BadResource,
  );
}

Deno.test("FramedConn.close() ends a pending receive() with null, and every later one", async () => {
  const [conn, peer] = await tcpPair();
  using _peer = peer;
  using framed = new FramedConn(conn);
  const received = framed.receive();
  await turns();
  await peer.write(framesOf("late"));

  framed.close();
  framed.abort();
  framed.close();

  assertEquals([await received, await framed.receive(), framed.closed], [null, null, true]);
  await assertRejects(() => framed.send("a"), BadResource, "Cannot send: the connection is closed");
  await assertRejects(() => framed.flush(), BadResource);
  await assertRejects(() => framed.closeWrite(), BadResource);
});

Deno.test("FramedConn.close() still delivers more than the operating system takes at once", async () => {
  const [a, b] = await tcpPair();
  const [client, server] = [new FramedConn(a), new FramedConn(b)];
  using _client = client;
  const body = new Uint8Array(1024 * 1024).fill(7);
  for (let i = 0; i < 12; i++) server.sendBytes(body);
  await turns();

  server.close();

  for (let i = 0; i < 12; i++) assertEquals((await client.receiveBytes())?.length, body.length);
  assertEquals(await client.receive(), null);
});

Deno.test("FramedConn.close() waits 5 s for a peer that does not read, and no longer", async () => {
  using time = new FakeTime();
  const [conn, _peer] = memoryConnPair({ highWaterMarkBytes: 10 });
  const framed = new FramedConn(conn);
  const sent = framed.send("x".repeat(100_000));
  framed.close();

  const rejected = assertRejects(() => sent, BadResource);
  await time.tickAsync(4999);
  assertEquals(await isPending(rejected), true);
  await time.tickAsync(1);

  await rejected;
  assertEquals(await isClosed(conn), true);
});

Deno.test("FramedConn.close() closes at once when nothing waits to be sent", async () => {
  const [conn, _peer] = memoryConnPair();

  new FramedConn(conn).close();

  assertEquals(await isClosed(conn), true);
});

Deno.test("FramedConn.close() that waits for a slow peer ends receiving and refuses to send at once", async () => {
  const [conn, _peer] = memoryConnPair({ highWaterMarkBytes: 10 });
  const framed = new FramedConn(conn);
  framed.send("x".repeat(1000));
  const received = framed.receive();
  await turns();

  framed.close();

  assertEquals(await isPending(received), false);
  await assertRejects(() => framed.send("late"), BadResource);
  framed.abort();
});

Deno.test("internalsOf().released settles when a slow peer has taken what was sent before the close", async () => {
  const [near, far] = memoryConnPair({ highWaterMarkBytes: 10 });
  const [conn, peer] = [new FramedConn(near), new FramedConn(far)];
  conn.send("x".repeat(1000));
  const { released } = internalsOf(conn);

  conn.close();
  assert(await isPending(released));
  await peer.receive();

  await released;
  await internalsOf(conn).released;
  peer.close();
});

Deno.test("FramedConn.close() after a lost connection leaves nothing behind", async () => {
  const conn = new ScriptedConn({ writes: [2, new BrokenPipe("gone")] });
  const framed = new FramedConn(conn);
  framed.send("abc");

  framed.close();
  await turns();

  assertEquals(await isClosed(conn), true);
});

Deno.test("FramedConn.closeRead() ends receiving with null, and sending still works", async () => {
  const [a, b] = memoryConnPair();
  const [client, server] = [new FramedConn(a), new FramedConn(b)];
  const received = server.receive();
  await turns();

  server.closeRead();
  client.send("unheard");

  assertEquals([await received, await server.receive()], [null, null]);
  await server.send("goodbye");
  assertEquals(await client.receive(), "goodbye");
});

Deno.test("FramedConn.closeWrite() tells the peer after everything sent before", async () => {
  const conn = new ScriptedConn({ writes: Array(100).fill(1) });
  const framed = new FramedConn(conn);
  framed.send("a");
  const closing = framed.closeWrite();
  assertEquals(conn.writeClosed, false);

  await assertRejects(() => framed.send("late"), BrokenPipe, "this side has finished");
  await closing;

  assertEquals([conn.written, conn.writeClosed], [framesOf("a"), true]);
  await assertRejects(() => framed.closeWrite(), BrokenPipe);
});

Deno.test("FramedConn.closeWrite() and close() in one breath deliver everything", async () => {
  const [a, b] = await tcpPair();
  const [client, server] = [new FramedConn(a), new FramedConn(b)];
  using _client = client;
  const text = "x".repeat(1024 * 1024);
  for (let i = 0; i < 8; i++) server.send(text);

  const closing = server.closeWrite();
  server.close();

  for (let i = 0; i < 8; i++) assertEquals(await client.receive(), text);
  assertEquals(await client.receive(), null);
  await closing;
});

Deno.test("FramedConn.closeWrite() rejects when what was sent before cannot be written", async () => {
  const conn = new ScriptedConn({ writes: [new BrokenPipe("gone")] });
  const framed = new FramedConn(conn);
  framed.send("a");

  await assertRejects(() => framed.closeWrite(), BrokenPipe, "gone");

  assertEquals(conn.writeClosed, false);
});

Deno.test("FramedConn.abort() drops what is queued and ends pending calls", async () => {
  const [conn, peer] = await tcpPair();
  using _peer = peer;
  const framed = new FramedConn(conn, { maxBodyBytes: 2 ** 26 });
  const received = framed.receive();
  const sent = framed.send("x".repeat(2 ** 25));
  framed.send("more");
  await turns();

  framed.abort();

  assertEquals([await received, framed.closed], [null, true]);
  await assertRejects(() => sent, BadResource);
  await assertRejects(() => framed.send("a"), BadResource);
});

Deno.test("FramedConn.abort() ends a close() that waits for a slow peer", async () => {
  const [conn, _peer] = memoryConnPair({ highWaterMarkBytes: 10 });
  const framed = new FramedConn(conn);
  framed.send("x".repeat(1000));
  framed.close();
  await turns();
  assertEquals(await isPending(conn.write(new Uint8Array(20)).catch(() => {})), true);

  framed.abort();
  await internalsOf(framed).released;

  assertEquals(await isClosed(conn), true);
});

Deno.test("FramedConn that is closed gives the buffer of its last read back", async () => {
  const [conn, peer] = memoryConnPair();
  const read = conn.read.bind(conn);
  let space: Uint8Array | undefined;
  conn.read = (p) => read(space = p);
  const framed = new FramedConn(conn);
  const received = framed.receive();
  await peer.write(framesOf("torn").subarray(0, 6));
  await turns();

  framed.close();
  assertEquals(await received, null);
  await turns();

  assertEquals(takeAll().filter((buffer) => buffer === space?.buffer).length, 1);
});
