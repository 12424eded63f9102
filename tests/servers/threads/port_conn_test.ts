import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { MessageChannel } from "node:worker_threads";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryAddr } from "../../../lib/conn/memory_conn.ts";
import { PortConn } from "../../../servers/threads/port_conn.ts";
import { PortPipe, type PortPipeOptions } from "../../../servers/threads/port_pipe.ts";
import { isPending, turns } from "../../support/turns.ts";

const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
const bytes = (...values: number[]) => new Uint8Array(values);

/** Two conns that are joined by a message channel, and the pipes below them. */
class Pair implements Disposable {
  readonly notes: unknown[] = [];
  readonly pipes: [PortPipe, PortPipe];
  readonly a: PortConn;
  readonly b: PortConn;

  constructor(options: PortPipeOptions = {}) {
    const { port1, port2 } = new MessageChannel();
    this.pipes = [
      new PortPipe(port1 as unknown as MessagePort, options),
      new PortPipe(port2 as unknown as MessagePort, {
        ...options,
        onNote: (note) => this.notes.push(note),
      }),
    ];
    const addrs = [memoryAddr("127.0.0.1", 1), memoryAddr("192.0.2.1", 2)] as const;
    this.a = new PortConn(this.pipes[0], { localAddr: addrs[0], remoteAddr: addrs[1] });
    this.b = new PortConn(this.pipes[1], { localAddr: addrs[1], remoteAddr: addrs[0] });
  }

  [Symbol.dispose](): void {
    for (const pipe of this.pipes) pipe[Symbol.dispose]();
  }
}

async function read(conn: Deno.Conn, atMost = 16): Promise<number[] | null> {
  const p = new Uint8Array(atMost);
  const n = await conn.read(p);
  return n === null ? null : [...p.subarray(0, n)];
}

Deno.test("PortConn carries bytes in both directions and names both ends", async () => {
  using pair = new Pair();

  await pair.a.write(bytes(1, 2, 3));
  await pair.b.write(bytes(4));

  assertEquals([await read(pair.b, 2), await read(pair.b)], [[1, 2], [3]]);
  assertEquals(await read(pair.a), [4]);
  assertEquals([pair.a.localAddr.port, pair.a.remoteAddr.port], [1, 2]);
  assertEquals([pair.a.remoteAddr, pair.b.remoteAddr], [pair.b.localAddr, pair.a.localAddr]);
});

Deno.test("PortConn.write() copies: the caller may use its bytes again", async () => {
  using pair = new Pair();
  const p = bytes(1, 2);

  assertEquals(await pair.a.write(p), 2);
  p.fill(9);

  assertEquals(await read(pair.b), [1, 2]);
  assertEquals(p.length, 2);
});

Deno.test("PortPipe.give() moves the buffer instead of copying it", async () => {
  using pair = new Pair();
  const chunk = bytes(0, 1, 2, 3).subarray(1, 3);

  pair.pipes[0].give(chunk);

  assertEquals(chunk.buffer.byteLength, 0);
  assertEquals(await pair.pipes[1].takeChunk(), bytes(1, 2));
});

Deno.test("PortConn.closeWrite() ends one direction after what was written", async () => {
  using pair = new Pair();
  await pair.a.write(bytes(1));

  await pair.a.closeWrite();

  assertEquals([await read(pair.b), await read(pair.b), await read(pair.b)], [[1], null, null]);
  await assertRejects(() => pair.a.write(bytes(2)), BrokenPipe);
  await pair.b.write(bytes(3));
  assertEquals(await read(pair.a), [3]);
});

Deno.test("PortConn.close() interrupts a pending read, and only once", async () => {
  using pair = new Pair();
  const reading = read(pair.a);

  pair.a.close();

  await assertRejects(() => reading, Interrupted);
  assertThrows(() => pair.a.close(), BadResource);
  await assertRejects(() => read(pair.a), BadResource);
});

Deno.test("PortConn.close() is read as null at the other end, where writing breaks", async () => {
  using pair = new Pair();
  await pair.a.write(bytes(1));

  pair.a.close();

  assertEquals([await read(pair.b), await read(pair.b)], [[1], null]);
  await pair.pipes[1].closed;
  await assertRejects(() => pair.b.write(bytes(2)), BrokenPipe);
});

Deno.test("PortPipe.fail() gives the other end the error, of its class, after what was written", async () => {
  using pair = new Pair();
  await pair.a.write(bytes(1));

  pair.pipes[0].fail(new ConnectionReset("gone"));

  assertEquals(await read(pair.b), [1]);
  assertEquals((await assertRejects(() => read(pair.b), ConnectionReset)).message, "gone");
  await assertRejects(() => pair.b.write(bytes(2)), ConnectionReset);
});

Deno.test("PortPipe.fail() ends a write that waits", async () => {
  using pair = new Pair({ windowBytes: 1 });
  await pair.b.write(bytes(1));
  const writing = pair.b.write(bytes(2));
  writing.catch(() => {});
  assert(await isPending(writing));

  pair.pipes[0].fail(new ConnectionReset("gone"));

  await assertRejects(() => writing, ConnectionReset);
});

Deno.test("PortConn.write() waits when a window is on its way, until the reader has taken half of it", async () => {
  using pair = new Pair({ windowBytes: 4 });
  await pair.a.write(bytes(1, 2));
  await pair.a.write(bytes(3, 4));

  const writing = pair.a.write(bytes(5));
  assert(await isPending(writing));
  assertEquals(await read(pair.b, 1), [1]);
  assert(await isPending(writing));
  assertEquals(await read(pair.b, 1), [2]);

  assertEquals(await writing, 1);
  assertEquals([await read(pair.b), await read(pair.b)], [[3, 4], [5]]);
});

Deno.test("PortConn.write() waits again for each window, however much has passed", async () => {
  using pair = new Pair({ windowBytes: 8 });
  const window = new Uint8Array(8);

  for (let n = 0; n < 9; n++) {
    await pair.a.write(window);
    assertEquals((await read(pair.b))!.length, 8);
  }
  await pair.a.write(window);
  const writing = pair.a.write(window);

  assert(await isPending(writing));
  await read(pair.b, 3);
  assert(await isPending(writing));
  await read(pair.b);
  await writing;
});

Deno.test("PortConn.write() waits for 256 KiB by default", async () => {
  using pair = new Pair();
  await pair.a.write(new Uint8Array(256 * 1024));

  const writing = pair.a.write(bytes(1));

  assert(await isPending(writing));
  pair.a.close();
  await assertRejects(() => writing, Interrupted);
});

Deno.test("PortPipe.abandon() ends what waits here, and drops what arrived or arrives", async () => {
  using pair = new Pair({ windowBytes: 1 });
  const [pipe, other] = pair.pipes;
  const taking = pipe.takeChunk();
  pipe.give(bytes(1));
  const room = pipe.hasRoom();
  assert(await isPending(room));

  pipe.abandon();
  other.give(bytes(2));
  await turns();

  assertEquals([await taking, await room, await pipe.takeChunk()], [null, false, null]);
});

Deno.test("PortPipe.abandon() drops what was not taken", async () => {
  using pair = new Pair();
  const [pipe, other] = pair.pipes;
  other.give(bytes(1));
  await turns();

  pipe.abandon();

  assertEquals(await pipe.takeChunk(), null);
});

Deno.test("PortPipe.end() ends a write and a question for room that wait", async () => {
  using pair = new Pair({ windowBytes: 1 });
  const [pipe] = pair.pipes;
  pipe.give(bytes(1));
  const room = pipe.hasRoom();
  const writing = assertRejects(() => pair.a.write(bytes(2)), BrokenPipe);
  assert(await isPending(room));

  pipe.end();
  pipe.end();

  assertEquals(await room, false);
  await writing;
});

Deno.test("PortPipe[Symbol.dispose]() ends what waits on this side", async () => {
  using pair = new Pair();
  const [pipe] = pair.pipes;
  const taking = pipe.takeChunk();

  pipe[Symbol.dispose]();

  assertEquals(await taking, null);
  await pipe.closed;
});

Deno.test("PortPipe.hasRoom() counts the whole buffer of a chunk", async () => {
  using pair = new Pair({ windowBytes: 1024 });
  pair.pipes[0].give(new Uint8Array(1024).subarray(0, 1));

  const room = pair.pipes[0].hasRoom();

  assert(await isPending(room));
  await pair.pipes[1].takeChunk();
  assertEquals(await room, true);
});

Deno.test("PortPipe.hasRoom() is false once the other end has closed", async () => {
  using pair = new Pair({ windowBytes: 1 });
  pair.pipes[0].give(bytes(1));
  const room = pair.pipes[0].hasRoom();

  pair.b.close();

  assertEquals(await room, false);
});

Deno.test("PortPipe.note() arrives in order with the bytes, also after a close", async () => {
  using pair = new Pair();

  pair.pipes[0].note("before");
  await pair.a.write(bytes(1));
  assertEquals([await read(pair.b), pair.notes], [[1], ["before"]]);
  pair.a.close();
  pair.pipes[0].note("after");
  pair.b.close();
  pair.pipes[1].note("back");

  while (pair.notes.length < 2) await turns(1);
  assertEquals(pair.notes, ["before", "after"]);
});

Deno.test("PortPipe tells that the other end is gone", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pair = new Pair({ onGone: resolve });
  const reading = read(pair.b);

  pair.pipes[0][Symbol.dispose]();

  await promise;
  assertEquals(await reading, null);
  await assertRejects(() => pair.b.write(bytes(1)), BrokenPipe);
  pair[Symbol.dispose]();
});

Deno.test("FramedConn speaks over a PortConn as over a socket", async () => {
  using pair = new Pair({ windowBytes: 1000 });
  using client = new FramedConn(pair.a);
  using server = new FramedConn(pair.b);
  const long = "ж".repeat(300_000);

  const sent = Promise.all([client.send(long), client.send(""), client.send("end")]);

  assertEquals([await server.receive(), await server.receive()], [long, ""]);
  assertEquals(await server.receive(), "end");
  await sent;
  await client.closeWrite();
  assertEquals(await server.receive(), null);
  await server.send("bye");
  assertEquals(await client.receive(), "bye");
});

Deno.test("FramedConn.receive() rejects when a PortConn ends inside a frame", async () => {
  using pair = new Pair();
  using server = new FramedConn(pair.b);
  await pair.a.write(bytes(0, 0, 0, 9, 1));
  pair.a.close();

  const error = await server.receive().catch((error) => error);

  assertInstanceOf(error, Deno.errors.UnexpectedEof);
});
