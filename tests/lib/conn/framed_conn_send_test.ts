import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { FramedConnOptions } from "../../../lib/conn/conn_options.ts";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ScriptedConn, type ScriptedWrite } from "../../../lib/testing/scripted_conn.ts";
import { takeBuffer } from "../../../lib/frame/buffer_pool.ts";
import { concat, framesOf, utf8 } from "../../support/bytes.ts";
import { isPending, turns } from "../../support/turns.ts";
import { takeAll } from "../frame/pool.ts";

const gone = () => new Deno.errors.BrokenPipe("gone");

function setUp(writes: Iterable<ScriptedWrite> = [], options: FramedConnOptions = {}) {
  const scripted = new ScriptedConn({ writes });
  return { scripted, conn: new FramedConn(scripted, options) };
}

/** A connection whose writes `write` takes. */
function connOf(write: Deno.Conn["write"], options: FramedConnOptions = {}): FramedConn {
  return new FramedConn(Object.assign(new ScriptedConn(), { write }), options);
}

Deno.test("FramedConn.send() leaves everything of one turn to one write", async () => {
  const { scripted, conn } = setUp();
  for (const text of ["abcdefghi", "123", "hello world"]) await conn.send(text);
  assertEquals(scripted.writes, []);

  await turns(1);

  assertEquals(scripted.writes, [framesOf("abcdefghi", "123", "hello world")]);
});

Deno.test("FramedConn.send() after a flush() in the same turn is written too", async () => {
  const { scripted, conn } = setUp();
  conn.send("a");
  await conn.flush();
  conn.send("b");

  await turns(1);

  assertEquals(scripted.writes, [framesOf("a"), framesOf("b")]);
});

Deno.test("FramedConn.flush() waits for a write that would block", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const { scripted, conn } = setUp([gates[0].promise, 2, gates[1].promise, 2, 9]);
  conn.send("abcdefghi");
  const flushed = conn.flush();

  assertEquals(await isPending(flushed), true);
  gates[0].resolve();
  assertEquals(await isPending(flushed), true);
  gates[1].resolve();
  await flushed;

  assertEquals(scripted.writes, ["\0\0", "\0\x09", "abcdefghi"].map(utf8));
});

Deno.test("FramedConn.send() settles at once below the high-water mark, and else when it is written", async () => {
  const gate = Promise.withResolvers<void>();
  const { scripted, conn } = setUp([gate.promise], { highWaterMarkBytes: 10 });

  assertEquals(await isPending(conn.send("a")), false);
  assertEquals(await isPending(conn.send("b")), false);
  const above = conn.send("123456");
  assertEquals(await isPending(above), true);
  gate.resolve();
  await above;

  assertEquals(scripted.written, framesOf("a", "b", "123456"));
});

Deno.test("FramedConn.send() goes on when its own batch is written, whatever others conn meanwhile", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const { conn } = setUp(gates.flatMap((gate) => [gate.promise, 100]), { highWaterMarkBytes: 8 });
  const first = conn.send("1234");
  const second = conn.send("5678");
  gates[0]!.resolve();
  await first;

  conn.send("x");
  assertEquals(await isPending(second), true);
  gates[1]!.resolve();
  await second;

  assertEquals(await isPending(conn.flush()), true);
  gates[2]!.resolve();
  await conn.flush();
});

Deno.test("FramedConn.flush() waits for what was connd, not for what is connd later", async () => {
  const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const { scripted, conn } = setUp(gates.flatMap((gate) => [gate.promise, 100]));
  conn.send("a");
  const flushed = conn.flush();
  conn.send("b");

  gates[0]!.resolve();
  await flushed;

  assertEquals(scripted.writes, [framesOf("a")]);
  gates[1]!.resolve();
  await conn.flush();
  assertEquals(scripted.written, framesOf("a", "b"));
});

Deno.test("FramedConn with a high-water mark of 0 settles each send() when it is written", async () => {
  const { scripted, conn } = setUp([], { highWaterMarkBytes: 0 });

  await conn.send("a");

  assertEquals(scripted.written, framesOf("a"));
});

Deno.test("FramedConn rejects what waits when a write fails, and every call after it", async () => {
  const { scripted, conn } = setUp([2, gone()], { highWaterMarkBytes: 4 });
  const sent = conn.send("abc");
  const flushed = conn.flush();

  const error = await assertRejects(() => sent, Deno.errors.BrokenPipe, "gone");
  assertStrictEquals(await assertRejects(() => flushed), error);
  for (const call of [() => conn.send("a"), () => conn.write(utf8("a")), () => conn.flush()]) {
    assertStrictEquals(await assertRejects(call), error);
  }
  assertStrictEquals(await assertRejects(() => conn.sendBytes(utf8("a"))), error);
  assertEquals([conn.queuedBytes, scripted.written], [0, utf8("\0\0")]);
});

const throwing = (options?: FramedConnOptions) =>
  connOf(() => {
    throw gone();
  }, options);

Deno.test("FramedConn that writes to what throws instead of rejecting delays no other", async () => {
  const failing = throwing();
  const { scripted, conn } = setUp();
  failing.send("a");
  conn.send("b");

  await turns(1);

  assertEquals(scripted.writes, [framesOf("b")]);
  await assertRejects(() => failing.send("c"), Deno.errors.BrokenPipe, "gone");
});

Deno.test("FramedConn rejects what waits for the next batch too when a write fails", async () => {
  const gate = Promise.withResolvers<void>();
  const { conn } = setUp([gate.promise, gone()]);
  conn.send("a");
  const first = conn.flush();
  conn.send("b");
  const second = conn.flush();

  gate.resolve();

  await assertRejects(() => first, Deno.errors.BrokenPipe);
  await assertRejects(() => second, Deno.errors.BrokenPipe);
});

Deno.test("FramedConn lets a buffer be used again once it is written, and not before", async () => {
  const gate = Promise.withResolvers<void>();
  let written: ArrayBufferLike | undefined;
  const write = async (p: Uint8Array) => {
    written = p.buffer;
    await gate.promise;
    return p.length;
  };
  const conn = connOf(write);
  conn.send("a");
  const flushed = conn.flush();

  assertEquals(takeAll().includes(written!), false);
  gate.resolve();
  await flushed;
  assertEquals(takeAll().includes(written!), true);
});

Deno.test("FramedConn tells onSent of each accepted message", async () => {
  const told: number[] = [];
  const { conn } = setUp([], { maxBodyBytes: 4, onSent: (bodyBytes) => told.push(bodyBytes) });

  conn.send("ёё");
  conn.sendBytes(new Uint8Array(3));
  conn.write(new Uint8Array(9));
  await assertRejects(() => conn.send("ёёё"));
  conn.send("");
  conn.sendFrame(framesOf("ab"));
  await conn.flush();

  assertEquals(told, [4, 3, 0, 2]);
});

Deno.test("FramedConn.sendFrame() writes the same bytes to all that got the same frames", async () => {
  const written: Uint8Array[] = [];
  const write = (p: Uint8Array) => Promise.resolve(written.push(p) && p.length);
  const conns = Array.from({ length: 3 }, () => connOf(write));

  for (const frame of [framesOf("a"), framesOf("b")]) {
    for (const conn of conns) conn.sendFrame(frame);
  }
  await turns(1);

  assertEquals(written[0], framesOf("a", "b"));
  assertStrictEquals(written[1], written[0]);
  assertStrictEquals(written[2], written[0]);
});

Deno.test("FramedConn.sendFrame() shares among the others what one peer must have copied", async () => {
  const written: Uint8Array[] = [];
  const write = (p: Uint8Array) => Promise.resolve(written.push(p) && p.length);
  const conns = Array.from({ length: 3 }, () => connOf(write));
  conns[1]!.send("own");

  for (const frame of [framesOf("a"), framesOf("b")]) {
    for (const conn of conns) conn.sendFrame(frame);
  }
  await turns(1);

  assertEquals(written, [framesOf("own", "a", "b"), framesOf("a", "b"), framesOf("a", "b")]);
  assertStrictEquals(written[1], written[2]);
});

Deno.test("FramedConn.sendFrame() leaves shared bytes alone when they are written", async () => {
  const { scripted, conn } = setUp();
  const shared = framesOf("7".repeat(1020));

  conn.sendFrame(shared);
  await conn.flush();
  takeBuffer(1024).fill(0);
  conn.sendFrame(shared);
  await conn.flush();

  assertEquals(scripted.written, new Uint8Array([...shared, ...shared]));
});

Deno.test("FramedConn.sendFrame() counts what waits, in whatever form", async () => {
  const gate = Promise.withResolvers<void>();
  const { scripted, conn } = setUp([gate.promise]);
  const frame = framesOf("x");
  conn.sendFrame(frame);
  conn.flush();

  for (let i = 1; i <= 2000; i++) {
    conn.sendFrame(frame);
    assertEquals(conn.queuedBytes, (i + 1) * frame.length);
  }
  gate.resolve();
  await conn.flush();

  assertEquals(conn.queuedBytes, 0);
  assertEquals(scripted.written, concat(...Array.from({ length: 2001 }, () => frame)));
});

Deno.test("FramedConn.sendFrame() waits above the high-water mark, and fails with the others", async () => {
  const { conn } = setUp([gone()], { highWaterMarkBytes: 4 });

  await assertRejects(() => conn.sendFrame(framesOf("abc")), Deno.errors.BrokenPipe);
  await assertRejects(() => conn.sendFrame(framesOf("d")), Deno.errors.BrokenPipe);

  assertEquals(conn.queuedBytes, 0);
});

for (const count of [0, -1, NaN, 0.5, 6, undefined as unknown as number]) {
  Deno.test(`FramedConn.flush() fails where a write of 5 bytes returns ${count}`, async () => {
    const conn = connOf(() => Promise.resolve(count));
    conn.send("a");

    const error = await assertRejects(() => conn.flush(), Error, "Cannot send: a write");

    assertEquals([internalsOf(conn).failedWith(error), conn.queuedBytes, conn.writtenBytes], [
      true,
      0,
      0,
    ]);
    assertStrictEquals(await assertRejects(() => conn.send("b")), error);
  });
}

Deno.test("internalsOf().failedWith() knows what a write failed with, and not what was refused after closeWrite()", async () => {
  const error = gone();
  const { conn } = setUp([error]);
  conn.send("a");
  await assertRejects(() => conn.flush());
  const finished = setUp().conn;
  await finished.closeWrite();
  const late = await assertRejects(() => finished.send("late"), Deno.errors.BrokenPipe);

  assertEquals([internalsOf(conn).failedWith(error), internalsOf(conn).failedWith(gone())], [
    true,
    false,
  ]);
  assertEquals([
    internalsOf(finished).failedWith(late),
    internalsOf(finished).failedWith(undefined),
  ], [false, false]);
});

Deno.test("FramedConn.writtenBytes counts all that was taken, and queuedBytes stays 0 after abort()", async () => {
  const gate = Promise.withResolvers<void>();
  const { conn } = setUp([2, 100, gate.promise]);
  conn.send("abc");
  await conn.flush();
  conn.send("d");
  conn.flush();
  conn.abort();
  gate.resolve();
  await turns();

  assertEquals([conn.queuedBytes, conn.writtenBytes], [0, 7]);
});
