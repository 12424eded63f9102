import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { takeBuffer } from "../../../lib/frame/buffer_pool.ts";
import { MessageReader, type MessageReaderOptions } from "../../../lib/conn/message_reader.ts";
import { ScriptedConn, type ScriptedRead } from "../../../lib/conn/scripted_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import {
  chunksOf,
  concat,
  frameOf,
  framesOf,
  header,
  mixedTexts,
  seededRandom,
  utf8,
} from "../../support/bytes.ts";
import { isPending, turns } from "../../support/turns.ts";
import { takeAll } from "../frame/pool.ts";

const reset = () => new Deno.errors.ConnectionReset("reset");

/** A reader of a script; text stands for its bytes. */
function reader(reads: Iterable<ScriptedRead | string>, options: MessageReaderOptions = {}) {
  const steps = Iterator.from(reads).map((read) => typeof read === "string" ? utf8(read) : read);
  return new MessageReader(new ScriptedConn({ reads: steps }), options);
}

async function rest(messages: MessageReader): Promise<string[]> {
  const texts = [];
  for (let text; (text = await messages.receive()) !== null;) texts.push(text);
  return texts;
}

Deno.test("MessageReader takes a peer that hangs up between frames for one that has finished", async () => {
  const hangUp = new Deno.errors.UnexpectedEof(
    "peer closed connection without sending TLS close_notify",
  );
  const messages = reader([framesOf("a"), hangUp]);

  assertEquals([await rest(messages), messages.finished, messages.lost], [["a"], true, false]);
  await assertRejects(() => rest(reader(["\0\0", hangUp])), Deno.errors.UnexpectedEof, "2 bytes");
  await assertRejects(() => reader([hangUp]).read(new Uint8Array(9)), Deno.errors.UnexpectedEof);
});

Deno.test("MessageReader.receive() gives null for a stream of nothing, again and again", async () => {
  const messages = reader([null]);

  assertEquals([await messages.receive(), await messages.receive()], [null, null]);
  assertEquals([await messages.receiveBytes(), messages.finished], [null, true]);
});

Deno.test("MessageReader.receive() gives one frame of one chunk", async () => {
  assertEquals(await rest(reader(["\0\0\0\x09abcdefghi", null])), ["abcdefghi"]);
});

Deno.test("MessageReader.receive() gives many frames of one chunk with one read", async () => {
  const chunk = "\0\0\0\x09abcdefghi\0\0\0\x03123\0\0\0\x0bhello world";
  const messages = reader([chunk]);

  assertEquals(await messages.receive(), "abcdefghi");
  assertEquals(await messages.receive(), "123");
  assertEquals(await messages.receive(), "hello world");
  assertEquals(messages.finished, false);
});

Deno.test("MessageReader.receive() gives many frames of many chunks", async () => {
  const chunks = ["\0\0", "\0\x09abc", "defghi", "\0\0\0\x0312", "3\0\0\0\x0bhello world", null];

  assertEquals(await rest(reader(chunks)), ["abcdefghi", "123", "hello world"]);
});

Deno.test("MessageReader.receive() waits between the chunks", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const chunks = ["\0\0", "\0\x09abc", "defghi"];
  const messages = reader([...chunks.flatMap((chunk, i) => [gates[i]!.promise, chunk]), null]);

  const received = messages.receive();
  for (const gate of gates) {
    assertEquals(await isPending(received), true);
    gate.resolve();
  }

  assertEquals([await received, await messages.receive()], ["abcdefghi", null]);
});

Deno.test("MessageReader.receive() takes reads of no bytes for nothing", async () => {
  assertEquals(await rest(reader(["", "\0\0\0\x02a", "", "", "b", "", null])), ["ab"]);
});

Deno.test("MessageReader.receive() gives an empty message, which is not the end", async () => {
  assertEquals(await rest(reader([framesOf("", "a", ""), null])), ["", "a", ""]);
  assertEquals(await reader([framesOf("")]).receiveBytes(), new Uint8Array());
});

for (const torn of ["\0", "\0\0\0", "\0\0\0\x09", "\0\0\0\x09ab"]) {
  Deno.test(`MessageReader.receive() rejects once when the stream ends after ${JSON.stringify(torn)}`, async () => {
    const messages = reader([framesOf("a"), torn, null]);
    assertEquals(await messages.receive(), "a");

    const error = await assertRejects(() => messages.receive(), Deno.errors.UnexpectedEof);
    assertEquals(
      error.message,
      `Cannot receive a message: the stream ended ${torn.length} bytes into a frame`,
    );
    assertEquals([await messages.receive(), await messages.receiveBytes()], [null, null]);
  });
}

Deno.test("MessageReader.receive() rejects once for a body over the limit, and then it is the end", async () => {
  const messages = reader(["\0\0\0\x05abcde\0\0\0\x06abcdef", framesOf("a")], { maxBodyBytes: 5 });
  assertEquals(await messages.receive(), "abcde");

  await assertRejects(() => messages.receive(), FrameTooLargeError, "of 6 bytes: the limit is 5");

  assertEquals([await messages.receive(), await messages.receiveBytes()], [null, null]);
});

Deno.test("MessageReader.receive() refuses lengths of 2^31 and 2^32 - 1 by the header alone", async () => {
  for (const length of [2 ** 31, 2 ** 32 - 1]) {
    const messages = reader([header(length)]);

    const error = await assertRejects(() => messages.receive(), FrameTooLargeError);
    assertEquals(error.bodyBytes, length);
  }
});

Deno.test("MessageReader.receive() goes on after a body that is not UTF-8", async () => {
  const messages = reader([concat(framesOf("a"), frameOf(0xff), framesOf("b", "c")), null]);
  assertEquals(await messages.receive(), "a");

  await assertRejects(() => messages.receive(), Deno.errors.InvalidData, "is not UTF-8");

  assertEquals(await rest(messages), ["b", "c"]);
});

Deno.test("MessageReader.receiveBytes() gives a body that is not UTF-8", async () => {
  assertEquals(await reader([frameOf(0xff, 0)]).receiveBytes(), new Uint8Array([0xff, 0]));
});

Deno.test("MessageReader.receive() gives what came before a lost connection, rejects once, then null", async () => {
  const error = reset();
  const messages = reader([concat(framesOf("a"), utf8("\0\0")), error]);
  assertEquals(await messages.receive(), "a");

  assertStrictEquals(await assertRejects(() => messages.receive()), error);

  assertEquals([await messages.receive(), messages.finished], [null, true]);
});

Deno.test("MessageReader.receive() gives frames that arrive byte by byte", async () => {
  const texts = ["", "a", "Привет", "🙂", "x".repeat(200), "", "\ufeff"];
  const reads = [...[...framesOf(...texts)].map((byte) => new Uint8Array([byte])), null];

  assertEquals(await rest(reader(reads)), texts);
});

for (const seed of [6, 7]) {
  Deno.test(`MessageReader gives 2,000 mixed messages of random chunks, texts and bytes in turn (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const texts = mixedTexts(2000, random);
    const messages = reader([...chunksOf(framesOf(...texts), random, 9000), null]);

    for (const [i, text] of texts.entries()) {
      const asBytes = i % 5 === 3;
      const got = asBytes ? await messages.receiveBytes() : await messages.receive();
      assertEquals(got, asBytes ? utf8(text) : text);
    }
    assertEquals(await messages.receive(), null);
  });
}

Deno.test("MessageReader.receive() is a TypeError while another is pending, which harms nothing", async () => {
  const gate = Promise.withResolvers<void>();
  const messages = reader([gate.promise, framesOf("a", "b")]);
  const first = messages.receive();

  await assertRejects(() => messages.receive(), TypeError, "another receive is pending");
  await assertRejects(() => messages.receiveBytes(), TypeError);
  await assertRejects(() => messages.read(new Uint8Array(1)), TypeError);
  gate.resolve();

  assertEquals([await first, await messages.receive()], ["a", "b"]);
});

for (const how of ["receive", "receiveBytes", "read"] as const) {
  Deno.test(`MessageReader.receive() that is given up loses nothing for ${how}()`, async () => {
    const gate = Promise.withResolvers<void>();
    const messages = reader(["\0\0\0", gate.promise, "\x02ab"]);
    const controller = new AbortController();
    const first = messages.receive(controller.signal);
    await isPending(first);

    controller.abort(new Error("no time"));
    await assertRejects(() => first, Error, "no time");
    const target = new Uint8Array(9);
    const next = how === "read" ? messages.read(target) : messages[how]();
    gate.resolve();

    if (how === "receive") assertEquals(await next, "ab");
    if (how === "receiveBytes") assertEquals(await next, utf8("ab"));
    if (how === "read") assertEquals([await next, target[2]], [3, 0]);
  });
}

Deno.test("MessageReader.receive() that is given up many times reads once", async () => {
  const gate = Promise.withResolvers<void>();
  const messages = reader([gate.promise, framesOf("a", "b"), null]);
  for (let i = 0; i < 50; i++) {
    const controller = new AbortController();
    const given = messages.receive(controller.signal);
    if (i % 2) await null;
    controller.abort();
    await assertRejects(() => given, DOMException);
  }

  gate.resolve();

  assertEquals(await rest(messages), ["a", "b"]);
});

Deno.test("MessageReader.receive() that is given up as its message arrives gives it once, now or next", async () => {
  for (let microtasks = 0; microtasks < 20; microtasks++) {
    const gate = Promise.withResolvers<void>();
    const messages = reader([gate.promise, framesOf("a"), null]);
    const controller = new AbortController();
    const first = messages.receive(controller.signal).catch(() => "given up");
    await isPending(first);

    gate.resolve();
    for (let i = 0; i < microtasks; i++) await null;
    controller.abort();

    const got = [await first, await messages.receive()];
    assertEquals(got, got[0] === "a" ? ["a", null] : ["given up", "a"]);
  }
});

Deno.test("MessageReader.receive() with a signal that aborted before takes no message", async () => {
  const messages = reader([framesOf("a", "b")]);
  assertEquals(await messages.receive(), "a");

  await assertRejects(() => messages.receive(AbortSignal.abort()), DOMException);

  assertEquals(await messages.receive(), "b");
});

Deno.test("MessageReader.receive() lets go of its signal", async () => {
  const messages = reader([framesOf("a")]);
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    listeners++;
    addEventListener.apply(this, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    listeners--;
    removeEventListener.apply(this, args);
  };

  await messages.receive(signal);

  assertEquals(listeners, 0);
});

Deno.test("MessageReader.read() first gives the bytes that a receive() has read", async () => {
  const messages = reader([concat(framesOf("a"), utf8("raw bytes")), "more", null]);
  assertEquals(await messages.receive(), "a");
  const target = new Uint8Array(4);

  const chunks: string[] = [];
  for (let bytes; (bytes = await messages.read(target)) !== null;) {
    chunks.push(new TextDecoder().decode(target.subarray(0, bytes)));
  }

  assertEquals(chunks, ["raw ", "byte", "s", "more"]);
  assertEquals(await messages.read(target), null);
});

Deno.test("MessageReader.read() of no bytes gives 0 at once", async () => {
  assertEquals(await reader([]).read(new Uint8Array()), 0);
});

Deno.test("MessageReader.read() rejects when the connection is lost", async () => {
  const messages = reader(["a", reset()]);
  assertEquals(await messages.read(new Uint8Array(9)), 1);

  await assertRejects(() => messages.read(new Uint8Array(9)), Deno.errors.ConnectionReset);
});

Deno.test("MessageReader.stop() ends a pending receive() and every later one with null", async () => {
  const messages = reader([framesOf("a", "b")]);
  assertEquals(await messages.receive(), "a");
  messages.stop();
  assertEquals(await messages.receive(), null);

  const waiting = reader([]);
  const received = waiting.receive();
  assertEquals(await isPending(received), true);
  waiting.stop();
  assertEquals([await received, await waiting.receiveBytes()], [null, null]);
});

Deno.test("MessageReader.read() gives null after stop(), and discard() reads on to the end", async () => {
  const messages = reader([framesOf("a"), framesOf("b"), null]);
  messages.stop();

  assertEquals(await messages.read(new Uint8Array(9)), null);
  assertEquals(messages.finished, false);
  await messages.discard();
  assertEquals(messages.finished, true);
});

Deno.test("MessageReader.receive() gives null after stop() also while discard() waits for the end", async () => {
  const gate = Promise.withResolvers<void>();
  const messages = reader([gate.promise, framesOf("a"), null]);
  messages.stop();
  const discarded = messages.discard();

  assertEquals(await messages.receive(), null);
  assertEquals(await messages.read(new Uint8Array(9)), null);
  await assertRejects(() => messages.discard(), TypeError);
  gate.resolve();
  await discarded;

  assertEquals(messages.finished, true);
});

Deno.test("MessageReader's disposal keeps the buffer of a running read from others", async () => {
  let space: Uint8Array | undefined;
  const done = Promise.withResolvers<number | null>();
  const conn = { read: (p: Uint8Array) => (space = p, done.promise) };
  const messages = new MessageReader(conn);
  const received = messages.receive();
  await turns(1);

  messages[Symbol.dispose]();

  assert(space && !takeAll().includes(space.buffer));
  done.resolve(3);
  assertEquals(await received, null);
  await isPending(received);
  assert(takeAll().includes(space.buffer));
});

Deno.test("MessageReader that is closed before it is its turn does not read", async () => {
  let reads = 0;
  const conn = { read: () => Promise.resolve(reads++) };
  const messages = new MessageReader(conn);
  const received = messages.receive();

  messages.stop();
  await turns(2);

  assertEquals([await received, reads], [null, 0]);
});

Deno.test("MessageReader gives the buffer back at once when it is closed while no read is running", async () => {
  let space: Uint8Array | undefined;
  const read = (p: Uint8Array) => {
    space = p;
    const bytes = framesOf("a", "b");
    p.set(bytes);
    return Promise.resolve(bytes.length);
  };
  const messages = new MessageReader({ read });
  assertEquals(await messages.receive(), "a");
  takeAll();

  messages[Symbol.dispose]();

  assert(takeBuffer(1).buffer === space?.buffer);
});

Deno.test("MessageReader.receive() that is given up starts no second read, however often turns pass", async () => {
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  const conn = new ScriptedConn({ reads: [gate.promise, framesOf("a")] });
  const messages = new MessageReader({ read: (p) => (reads++, conn.read(p)) });
  for (let i = 0; i < 3; i++) {
    const controller = new AbortController();
    const given = messages.receive(controller.signal);
    await turns();
    controller.abort();
    await assertRejects(() => given, DOMException);
  }

  const received = messages.receive();
  await turns();
  gate.resolve();

  assertEquals([await received, reads], ["a", 1]);
});

Deno.test("MessageReader.receive() that is given up before its turn leaves the next one to read", async () => {
  const messages = reader([framesOf("a")]);
  const controller = new AbortController();
  const given = messages.receive(controller.signal);
  controller.abort();
  await assertRejects(() => given, DOMException);
  await turns();

  assertEquals(await messages.receive(), "a");
});

Deno.test("MessageReader.receive() rejects once also where a read throws instead of rejecting", async () => {
  const messages = new MessageReader({
    read() {
      throw reset();
    },
  });

  await assertRejects(() => messages.receive(), Deno.errors.ConnectionReset);

  assertEquals(await messages.receive(), null);
});

Deno.test("MessageReader.failedWith() tells what a receive threw, and neither nothing nor a caller's reason", async () => {
  const error = reset();
  const gate = Promise.withResolvers<void>();
  const messages = reader([gate.promise, error]);
  assertEquals(messages.failedWith(undefined), false);
  const controller = new AbortController();
  const given = messages.receive(controller.signal);
  controller.abort();
  await assertRejects(() => given, DOMException);
  assertEquals(messages.failedWith(controller.signal.reason), false);

  gate.resolve();
  await assertRejects(() => messages.receive());

  assertEquals(messages.failedWith(error), true);
});

Deno.test("MessageReader.stopped settles also for who asks after stop()", async () => {
  const messages = reader([]);
  messages.stop();

  assertEquals(await isPending(messages.stopped), false);
});

Deno.test("MessageReader tells onReceived of each message handed out", async () => {
  const told: number[] = [];
  const onReceived = (bodyBytes: number) => told.push(bodyBytes);
  const messages = reader([concat(framesOf("ёё", "", "abc"), frameOf(0xff), framesOf("a")), null], {
    onReceived,
  });

  await messages.receive();
  await messages.receive();
  await messages.receiveBytes();
  await assertRejects(() => messages.receive());
  await messages.read(new Uint8Array(0));
  await rest(messages);

  assertEquals(told, [4, 0, 3, 1]);
});

Deno.test("MessageReader.receive() times out when no byte comes, never early, and the next one starts anew", async () => {
  using time = new FakeTime();
  const gate = Promise.withResolvers<void>();
  using messages = reader([gate.promise, framesOf("a")], { idleTimeoutMs: 1000 });

  for (let i = 0; i < 2; i++) {
    let settled = false;
    const received = assertRejects(() => messages.receive(), Deno.errors.TimedOut, "for 1000 ms");
    received.then(() => settled = true);
    await time.tickAsync(999);
    assertEquals(settled, false);
    await time.tickAsync(251);
    await received;
    await time.tickAsync(7777);
  }

  gate.resolve();
  assertEquals(await messages.receive(), "a");
});

Deno.test("MessageReader.receive() waits on while bytes come, one by one", async () => {
  using time = new FakeTime();
  const bytes = [...framesOf("slow")];
  const gates = bytes.map(() => Promise.withResolvers<void>());
  const reads = bytes.flatMap((byte, i) => [gates[i]!.promise, new Uint8Array([byte])]);
  using messages = reader(reads, { idleTimeoutMs: 1000 });

  const received = messages.receive();
  for (const gate of gates) {
    await time.tickAsync(990);
    gate.resolve();
    for (let i = 0; i < 20; i++) await null;
  }

  assertEquals(await received, "slow");
});

Deno.test("MessageReader allocates nothing for bodies that are only announced", async () => {
  const before = Deno.memoryUsage().external;
  const all = Array.from({ length: 500 }, () => reader([header(1024 * 1024), "abc"]));
  for (const messages of all) assertEquals(await isPending(messages.receive()), true);

  assertLess(Deno.memoryUsage().external - before, 8 * 1024 * 1024);
});
