import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { takeBuffer } from "../../../lib/frame/buffer_pool.ts";
import { ScriptedConn, type ScriptedWrite } from "../../../lib/conn/scripted_conn.ts";
import { WriteQueue, type WriteQueueOptions } from "../../../lib/conn/write_queue.ts";
import { concat, framesOf, mixedTexts, seededRandom, utf8 } from "../../support/bytes.ts";
import { isPending, turns } from "../../support/turns.ts";
import { takeAll } from "../frame/pool.ts";

const gone = () => new Deno.errors.BrokenPipe("gone");

function setUp(writes: Iterable<ScriptedWrite> = [], options: WriteQueueOptions = {}) {
  const conn = new ScriptedConn({ writes });
  return { conn, queue: new WriteQueue(conn, options) };
}

function* oneByte() {
  for (;;) yield 1;
}

Deno.test("WriteQueue.flush() writes nothing for nothing", async () => {
  const { conn, queue } = setUp();

  await queue.flush();

  assertEquals(conn.writes, []);
});

Deno.test("WriteQueue.send() leaves everything of one turn to one write", async () => {
  const { conn, queue } = setUp();
  for (const text of ["abcdefghi", "123", "hello world"]) await queue.send(text);
  assertEquals(conn.writes, []);

  await turns(1);

  assertEquals(conn.writes, [framesOf("abcdefghi", "123", "hello world")]);
});

Deno.test("WriteQueue.send() writes again in each turn", async () => {
  const { conn, queue } = setUp();
  for (const text of ["a", "b"]) {
    queue.send(text);
    await turns(2);
  }

  assertEquals(conn.writes, [framesOf("a"), framesOf("b")]);
});

Deno.test("WriteQueue.send() after a flush() in the same turn is written too", async () => {
  const { conn, queue } = setUp();
  queue.send("a");
  await queue.flush();
  queue.send("b");

  await turns(1);

  assertEquals(conn.writes, [framesOf("a"), framesOf("b")]);
});

Deno.test("WriteQueue.flush() writes each message when it is awaited between them", async () => {
  const { conn, queue } = setUp();
  for (const text of ["abcdefghi", "123"]) {
    queue.send(text);
    await queue.flush();
  }

  assertEquals(conn.writes, [framesOf("abcdefghi"), framesOf("123")]);
});

Deno.test("WriteQueue.flush() waits for a write that would block", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const { conn, queue } = setUp([gates[0].promise, 2, gates[1].promise, 2, 9]);
  queue.send("abcdefghi");
  const flushed = queue.flush();

  assertEquals(await isPending(flushed), true);
  gates[0].resolve();
  assertEquals(await isPending(flushed), true);
  gates[1].resolve();
  await flushed;

  assertEquals(conn.writes, ["\0\0", "\0\x09", "abcdefghi"].map(utf8));
});

Deno.test("WriteQueue.send() never interleaves, though each write takes one byte", async () => {
  const { conn, queue } = setUp(oneByte(), { highWaterMarkBytes: 300 });
  const texts = mixedTexts(100, seededRandom(5));

  await Promise.all(texts.map(async (text, i) => {
    if (i % 3 === 0) await turns(i % 5);
    await queue.send(text);
    await queue.flush();
  }));

  const sent = new Set(texts);
  assertEquals(conn.written.length, framesOf(...texts).length);
  for (let at = 0, count = 0; at < conn.written.length; count++) {
    const bodyBytes = new DataView(conn.written.buffer).getUint32(at);
    const body = conn.written.subarray(at + 4, at + 4 + bodyBytes);
    assertEquals(sent.has(new TextDecoder("utf-8", { ignoreBOM: true }).decode(body)), true);
    at += 4 + bodyBytes;
  }
});

Deno.test("WriteQueue.send() keeps the order of concurrent calls of every kind", async () => {
  const { conn, queue } = setUp(oneByte(), { highWaterMarkBytes: 8 });

  await Promise.all([
    queue.send("a"),
    queue.sendBytes(utf8("bytes")),
    queue.write(utf8("raw")),
    queue.send("ё".repeat(100)),
    queue.send("z"),
  ]);
  await queue.flush();

  const raw = [framesOf("a", "bytes"), utf8("raw"), framesOf("ё".repeat(100), "z")];
  assertEquals(conn.written, concat(...raw));
});

Deno.test("WriteQueue.send() settles at once below the high-water mark, and else when it is written", async () => {
  const gate = Promise.withResolvers<void>();
  const { conn, queue } = setUp([gate.promise], { highWaterMarkBytes: 10 });

  assertEquals(await isPending(queue.send("a")), false);
  assertEquals(await isPending(queue.send("b")), false);
  const above = queue.send("123456");
  assertEquals(await isPending(above), true);
  gate.resolve();
  await above;

  assertEquals(conn.written, framesOf("a", "b", "123456"));
});

Deno.test("WriteQueue.send() goes on when its own batch is written, whatever others queue meanwhile", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const { queue } = setUp(gates.flatMap((gate) => [gate.promise, 100]), { highWaterMarkBytes: 8 });
  const first = queue.send("1234");
  const second = queue.send("5678");
  gates[0]!.resolve();
  await first;

  queue.send("x");
  assertEquals(await isPending(second), true);
  gates[1]!.resolve();
  await second;

  assertEquals(queue.idle, false);
  gates[2]!.resolve();
  await queue.flush();
});

Deno.test("WriteQueue.flush() waits for what was queued, not for what is queued later", async () => {
  const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const { conn, queue } = setUp(gates.flatMap((gate) => [gate.promise, 100]));
  queue.send("a");
  const flushed = queue.flush();
  queue.send("b");

  gates[0]!.resolve();
  await flushed;

  assertEquals(conn.writes, [framesOf("a")]);
  gates[1]!.resolve();
  await queue.flush();
  assertEquals(conn.written, framesOf("a", "b"));
});

Deno.test("WriteQueue with a high-water mark of 0 settles each send() when it is written", async () => {
  const { conn, queue } = setUp([], { highWaterMarkBytes: 0 });

  await queue.send("a");

  assertEquals(conn.written, framesOf("a"));
});

Deno.test("WriteQueue.send() copies bytes before it returns", async () => {
  const { conn, queue } = setUp();
  const bytes = utf8("ab");
  queue.sendBytes(bytes);
  queue.write(bytes);
  bytes.fill(0);

  await queue.flush();

  assertEquals(conn.written, concat(framesOf("ab"), utf8("ab")));
});

Deno.test("WriteQueue rejects what waits when a write fails, and every call after it", async () => {
  const { conn, queue } = setUp([2, gone()], { highWaterMarkBytes: 4 });
  const sent = queue.send("abc");
  const flushed = queue.flush();

  const error = await assertRejects(() => sent, Deno.errors.BrokenPipe, "gone");
  assertStrictEquals(await assertRejects(() => flushed), error);
  for (const call of [() => queue.send("a"), () => queue.write(utf8("a")), () => queue.flush()]) {
    assertStrictEquals(await assertRejects(call), error);
  }
  assertStrictEquals(await assertRejects(() => queue.sendBytes(utf8("a"))), error);
  assertEquals([queue.idle, conn.written], [true, utf8("\0\0")]);
});

/** A writer that throws instead of rejecting. */
const THROWING = {
  write() {
    throw gone();
  },
};

Deno.test("WriteQueue rejects with what a write threw instead of rejecting", async () => {
  const flushed = new WriteQueue(THROWING);
  flushed.send("a");
  const filled = new WriteQueue(THROWING, { highWaterMarkBytes: 1 });

  await assertRejects(() => flushed.flush(), Deno.errors.BrokenPipe, "gone");
  await assertRejects(() => filled.send("a"), Deno.errors.BrokenPipe, "gone");
});

Deno.test("WriteQueue that writes to what throws instead of rejecting delays no other", async () => {
  const failing = new WriteQueue(THROWING);
  const { conn, queue } = setUp();
  failing.send("a");
  queue.send("b");

  await turns(1);

  assertEquals(conn.writes, [framesOf("b")]);
  await assertRejects(() => failing.send("c"), Deno.errors.BrokenPipe, "gone");
});

Deno.test("WriteQueue rejects what waits for the next batch too when a write fails", async () => {
  const gate = Promise.withResolvers<void>();
  const { queue } = setUp([gate.promise, gone()]);
  queue.send("a");
  const first = queue.flush();
  queue.send("b");
  const second = queue.flush();

  gate.resolve();

  await assertRejects(() => first, Deno.errors.BrokenPipe);
  await assertRejects(() => second, Deno.errors.BrokenPipe);
});

Deno.test("WriteQueue takes a write of no bytes for an error", async () => {
  const { queue } = setUp([3, 0]);
  queue.send("abcdef");

  await assertRejects(() => queue.flush(), Deno.errors.WriteZero, "a write took no bytes");
});

Deno.test("WriteQueue leaves no unhandled rejection where nobody awaits a failing write", async () => {
  const { queue } = setUp([gone()], { highWaterMarkBytes: 4 });
  queue.send("abc");
  queue.flush();
  queue.send("def");
  await turns();

  queue.send("ghi");
  queue.sendBytes(utf8("a"));
  queue.write(utf8("a"));
  queue.flush();
  await turns();

  assertEquals(queue.idle, true);
});

Deno.test("WriteQueue.refuse() accepts no more, and drain() still writes what was accepted", async () => {
  const { conn, queue } = setUp(oneByte());
  queue.send("a");

  queue.refuse(new Error("over"));

  await assertRejects(() => queue.send("b"), Error, "over");
  await assertRejects(() => queue.flush(), Error, "over");
  await queue.drain();
  await queue.drain();
  assertEquals(conn.written, framesOf("a"));
});

Deno.test("WriteQueue.fail() drops what is queued and rejects who waits", async () => {
  const { conn, queue } = setUp([new Promise(() => {})]);
  queue.send("a");
  const first = queue.flush();
  queue.send("b");
  const second = queue.flush();

  queue.fail(new Error("over"));

  await assertRejects(() => first, Error, "over");
  await assertRejects(() => second, Error, "over");
  conn.close();
  await turns();
  assertEquals([queue.idle, conn.writes.length], [true, 0]);
});

Deno.test("WriteQueue.send() of a refused message changes nothing", async () => {
  const { conn, queue } = setUp([], { maxBodyBytes: 3 });
  queue.send("a");

  await assertRejects(() => queue.send("\ud800"), TypeError);
  await assertRejects(() => queue.send("abcd"), RangeError);
  await assertRejects(() => queue.sendBytes(utf8("abcd")), RangeError);
  queue.send("b");
  await queue.flush();

  assertEquals(conn.written, framesOf("a", "b"));
});

Deno.test("WriteQueue lets a buffer be used again once it is written, and not before", async () => {
  const gate = Promise.withResolvers<void>();
  let written: ArrayBufferLike | undefined;
  const write = async (p: Uint8Array) => {
    written = p.buffer;
    await gate.promise;
    return p.length;
  };
  const queue = new WriteQueue({ write });
  queue.send("a");
  const flushed = queue.flush();

  assertEquals(takeAll().includes(written!), false);
  gate.resolve();
  await flushed;
  assertEquals(takeAll().includes(written!), true);
});

Deno.test("WriteQueue tells onSent of each accepted message", async () => {
  const told: number[] = [];
  const { queue } = setUp([], { maxBodyBytes: 4, onSent: (bodyBytes) => told.push(bodyBytes) });

  queue.send("ёё");
  queue.sendBytes(new Uint8Array(3));
  queue.write(new Uint8Array(9));
  await assertRejects(() => queue.send("ёёё"));
  queue.send("");
  queue.sendFrame(framesOf("ab"));
  await queue.flush();

  assertEquals(told, [4, 3, 0, 2]);
});

Deno.test("WriteQueue.sendFrame() keeps its order among calls of every kind", async () => {
  const { conn, queue } = setUp(oneByte());
  const frames = ["one", "two", "three", "four"].map((text) => framesOf(text));

  queue.sendFrame(frames[0]!);
  queue.sendFrame(frames[1]!);
  queue.send("text");
  queue.sendFrame(frames[2]!);
  queue.sendBytes(utf8("bytes"));
  queue.write(utf8("raw"));
  queue.sendFrame(frames[3]!);
  await queue.flush();

  const expected = [framesOf("one", "two", "text", "three", "bytes"), utf8("raw"), frames[3]!];
  assertEquals(conn.written, concat(...expected));
});

Deno.test("WriteQueue.sendFrame() writes the same bytes to all that got the same frames", async () => {
  const written: Uint8Array[] = [];
  const write = (p: Uint8Array) => Promise.resolve(written.push(p) && p.length);
  const queues = Array.from({ length: 3 }, () => new WriteQueue({ write }));

  for (const frame of [framesOf("a"), framesOf("b")]) {
    for (const queue of queues) queue.sendFrame(frame);
  }
  await turns(1);

  assertEquals(written[0], framesOf("a", "b"));
  assertStrictEquals(written[1], written[0]);
  assertStrictEquals(written[2], written[0]);
});

Deno.test("WriteQueue.sendFrame() shares among the others what one peer must have copied", async () => {
  const written: Uint8Array[] = [];
  const write = (p: Uint8Array) => Promise.resolve(written.push(p) && p.length);
  const queues = Array.from({ length: 3 }, () => new WriteQueue({ write }));
  queues[1]!.send("own");

  for (const frame of [framesOf("a"), framesOf("b")]) {
    for (const queue of queues) queue.sendFrame(frame);
  }
  await turns(1);

  assertEquals(written, [framesOf("own", "a", "b"), framesOf("a", "b"), framesOf("a", "b")]);
  assertStrictEquals(written[1], written[2]);
});

Deno.test("WriteQueue.sendFrame() leaves shared bytes alone when they are written", async () => {
  const { conn, queue } = setUp();
  const shared = new Uint8Array(1024).fill(7);

  queue.sendFrame(shared);
  await queue.flush();
  takeBuffer(1024).fill(0);
  queue.sendFrame(shared);
  await queue.flush();

  assertEquals(conn.written, new Uint8Array(2048).fill(7));
});

Deno.test("WriteQueue.sendFrame() counts what waits, in whatever form", async () => {
  const gate = Promise.withResolvers<void>();
  const { conn, queue } = setUp([gate.promise]);
  const frame = framesOf("x");
  queue.sendFrame(frame);
  queue.startWriting();

  for (let i = 1; i <= 2000; i++) {
    queue.sendFrame(frame);
    assertEquals(queue.queuedBytes, (i + 1) * frame.length);
  }
  gate.resolve();
  await queue.flush();

  assertEquals([queue.queuedBytes, queue.idle], [0, true]);
  assertEquals(conn.written, concat(...Array.from({ length: 2001 }, () => frame)));
});

Deno.test("WriteQueue.sendFrame() waits above the high-water mark, and fails with the others", async () => {
  const { queue } = setUp([gone()], { highWaterMarkBytes: 4 });

  await assertRejects(() => queue.sendFrame(framesOf("abc")), Deno.errors.BrokenPipe);
  await assertRejects(() => queue.sendFrame(framesOf("d")), Deno.errors.BrokenPipe);

  assertEquals([queue.idle, queue.queuedBytes], [true, 0]);
});

Deno.test("WriteQueue.fail() drops what sendFrame() queued", () => {
  const { queue } = setUp([new Promise(() => {})]);
  queue.sendFrame(framesOf("a"));
  queue.startWriting();
  queue.sendFrame(framesOf("b"));

  queue.fail(new Error("over"));

  assertEquals(queue.queuedBytes, 0);
});

Deno.test("WriteQueue.send() that is refused is an unhandled rejection where nobody awaits it", async () => {
  const { queue } = setUp([], { maxBodyBytes: 3 });
  const reported: unknown[] = [];
  const take = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    reported.push(event.reason);
  };
  addEventListener("unhandledrejection", take);

  queue.send("abcd");
  queue.sendBytes(utf8("abcd"));
  await turns();

  removeEventListener("unhandledrejection", take);
  assertEquals(reported.map((error) => error instanceof RangeError), [true, true]);
});

Deno.test("WriteQueue.writtenBytes counts all that was ever taken", async () => {
  const { queue } = setUp([2, 100, 100]);
  for (const text of ["abc", "d"]) {
    queue.send(text);
    await queue.flush();
  }

  assertEquals([queue.writtenBytes, queue.queuedBytes], [12, 0]);
});

Deno.test("WriteQueue.queuedBytes stays 0 when a write succeeds after fail()", async () => {
  const gate = Promise.withResolvers<void>();
  const { queue } = setUp([gate.promise]);
  queue.send("a");
  queue.startWriting();
  queue.fail(new Error("over"));

  gate.resolve();
  await turns();

  assertEquals([queue.queuedBytes, queue.writtenBytes, queue.idle], [0, 5, true]);
});

Deno.test("WriteQueue.failedWith() tells what a write threw, also after refuse(), and nothing else", async () => {
  const error = gone();
  const { queue } = setUp([error]);
  assertEquals(queue.failedWith(undefined), false);
  queue.send("a");
  queue.refuse(new Error("over"));

  await assertRejects(() => queue.drain());

  assertEquals([queue.failedWith(error), queue.failedWith(gone())], [true, false]);
  await assertRejects(() => queue.send("b"), Error, "over");
});
