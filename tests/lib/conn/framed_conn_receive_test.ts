import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { FramedConnOptions } from "../../../lib/conn/conn_options.ts";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ScriptedConn, type ScriptedRead } from "../../../lib/testing/scripted_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { concat, frameOf, framesOf, utf8 } from "../../support/bytes.ts";
import { isPending, turns } from "../../support/turns.ts";
import { takeAll } from "../frame/pool.ts";

const reset = () => new Deno.errors.ConnectionReset("reset");

/** Receives what a script says; text stands for its bytes. */
function reader(reads: Iterable<ScriptedRead | string>, options: FramedConnOptions = {}) {
  const steps = Iterator.from(reads).map((read) => typeof read === "string" ? utf8(read) : read);
  return new FramedConn(new ScriptedConn({ reads: steps }), options);
}

/** Receives what `read` gives. */
function readerOf(read: Deno.Conn["read"]): FramedConn {
  return new FramedConn(Object.assign(new ScriptedConn(), { read }));
}

async function rest(messages: FramedConn): Promise<string[]> {
  const texts = [];
  for await (const text of messages) texts.push(text);
  return texts;
}

Deno.test("FramedConn takes a peer that hangs up between frames for one that has finished", async () => {
  const hangUp = new Deno.errors.UnexpectedEof(
    "peer closed connection without sending TLS close_notify",
  );
  const messages = reader([framesOf("a"), hangUp]);

  assertEquals([await rest(messages), internalsOf(messages).finished, internalsOf(messages).lost], [
    ["a"],
    true,
    false,
  ]);
  await assertRejects(() => rest(reader(["\0\0", hangUp])), Deno.errors.UnexpectedEof, "2 bytes");
  await assertRejects(() => reader([hangUp]).read(new Uint8Array(9)), Deno.errors.UnexpectedEof);
});

for (const truncated of ["\0", "\0\0\0", "\0\0\0\x09", "\0\0\0\x09ab"]) {
  Deno.test(`FramedConn.receive() rejects once when the stream ends after ${JSON.stringify(truncated)}`, async () => {
    const messages = reader([framesOf("a"), truncated, null]);
    assertEquals(await messages.receive(), "a");

    const error = await assertRejects(() => messages.receive(), Deno.errors.UnexpectedEof);
    assertEquals(
      error.message,
      `Cannot receive a message: the stream ended ${truncated.length} bytes into a frame`,
    );
    assertEquals([await messages.receive(), await messages.receiveBytes()], [null, null]);
  });
}

Deno.test("FramedConn.receive() rejects once for a body over the limit, and then it is the end", async () => {
  const messages = reader(["\0\0\0\x05abcde\0\0\0\x06abcdef", framesOf("a")], { maxBodyBytes: 5 });
  assertEquals(await messages.receive(), "abcde");

  await assertRejects(() => messages.receive(), FrameTooLargeError, "of 6 bytes: the limit is 5");

  assertEquals([await messages.receive(), await messages.receiveBytes()], [null, null]);
});

Deno.test("FramedConn.receive() gives what came before a lost connection, rejects once, then null", async () => {
  const error = reset();
  const messages = reader([concat(framesOf("a"), utf8("\0\0")), error]);
  assertEquals(await messages.receive(), "a");

  assertStrictEquals(await assertRejects(() => messages.receive()), error);

  assertEquals([await messages.receive(), internalsOf(messages).finished], [null, true]);
});

Deno.test("FramedConn.receive() is a TypeError while another is pending, which harms nothing", async () => {
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
  Deno.test(`FramedConn.receive() that is given up loses nothing for ${how}()`, async () => {
    const gate = Promise.withResolvers<void>();
    const messages = reader(["\0\0\0", gate.promise, "\x02ab"]);
    const controller = new AbortController();
    const first = messages.receive({ signal: controller.signal });
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

Deno.test("FramedConn.receive() that is given up as its message arrives gives it once, now or next", async () => {
  for (let microtasks = 0; microtasks < 20; microtasks++) {
    const gate = Promise.withResolvers<void>();
    const messages = reader([gate.promise, framesOf("a"), null]);
    const controller = new AbortController();
    const first = messages.receive({ signal: controller.signal }).catch(() => "given up");
    await isPending(first);

    gate.resolve();
    for (let i = 0; i < microtasks; i++) await null;
    controller.abort();

    const got = [await first, await messages.receive()];
    assertEquals(got, got[0] === "a" ? ["a", null] : ["given up", "a"]);
  }
});

Deno.test("FramedConn.receive() lets go of its signal", async () => {
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

  await messages.receive({ signal });

  assertEquals(listeners, 0);
});

Deno.test("FramedConn.read() rejects when the connection is lost", async () => {
  const messages = reader(["a", reset()]);
  assertEquals(await messages.read(new Uint8Array(9)), 1);

  await assertRejects(() => messages.read(new Uint8Array(9)), Deno.errors.ConnectionReset);
});

Deno.test("FramedConn.receive() that is given up starts no second read, however often turns pass", async () => {
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  const conn = new ScriptedConn({ reads: [gate.promise, framesOf("a")] });
  const messages = readerOf((p) => (reads++, conn.read(p)));
  for (let i = 0; i < 3; i++) {
    const controller = new AbortController();
    const given = messages.receive({ signal: controller.signal });
    await turns();
    controller.abort();
    await assertRejects(() => given, DOMException);
  }

  const received = messages.receive();
  await turns();
  gate.resolve();

  assertEquals([await received, reads], ["a", 1]);
});

Deno.test("FramedConn.receive() that is given up before its turn leaves the next one to read", async () => {
  const messages = reader([framesOf("a")]);
  const controller = new AbortController();
  const given = messages.receive({ signal: controller.signal });
  controller.abort();
  await assertRejects(() => given, DOMException);
  await turns();

  assertEquals(await messages.receive(), "a");
});

Deno.test("FramedConn.receive() rejects once also where a read throws instead of rejecting", async () => {
  const messages = readerOf(() => {
    throw reset();
  });

  await assertRejects(() => messages.receive(), Deno.errors.ConnectionReset);

  assertEquals(await messages.receive(), null);
});

Deno.test("internalsOf().failedWith() tells what a receive threw, and neither nothing nor a caller's reason", async () => {
  const error = reset();
  const gate = Promise.withResolvers<void>();
  const messages = reader([gate.promise, error]);
  assertEquals(internalsOf(messages).failedWith(undefined), false);
  const controller = new AbortController();
  const given = messages.receive({ signal: controller.signal });
  controller.abort();
  await assertRejects(() => given, DOMException);
  assertEquals(internalsOf(messages).failedWith(controller.signal.reason), false);

  gate.resolve();
  await assertRejects(() => messages.receive());

  assertEquals(internalsOf(messages).failedWith(error), true);
});

Deno.test("FramedConn tells onReceived of each message handed out", async () => {
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

Deno.test("FramedConn keeps the buffer of a running read from others when it is closed, and then gives it back", async () => {
  let space: Uint8Array | undefined;
  const done = Promise.withResolvers<number | null>();
  const messages = readerOf((p) => (space = p, done.promise));
  const received = messages.receive();
  await turns(1);

  messages.abort();

  assert(space && !takeAll().includes(space.buffer));
  done.resolve(3);
  assertEquals(await received, null);
  await turns();
  assert(takeAll().includes(space.buffer));
});

Deno.test("FramedConn that is closed before it is its turn does not read", async () => {
  let reads = 0;
  const messages = readerOf(() => Promise.resolve(reads++));
  const received = messages.receive();

  messages.close();
  await turns(2);

  assertEquals([await received, reads], [null, 0]);
});

for (const count of [NaN, -1, 0.5, 257, 2 ** 32, undefined as unknown as number]) {
  Deno.test(`FramedConn.receive() fails once where a read returns ${count}`, async () => {
    const messages = readerOf(() => Promise.resolve(count));

    const error = await assertRejects(() => messages.receive(), RangeError, `returned ${count}`);

    assertEquals([await messages.receive(), internalsOf(messages).lost], [null, true]);
    assert(internalsOf(messages).failedWith(error));
  });
}

Deno.test("FramedConn.receive() fails where read after read gives no bytes for ever, as Go's bufio does", async () => {
  const messages = readerOf(() => Promise.resolve(0));

  await assertRejects(() => messages.receive(), Error, "100 reads in a row gave no bytes");

  assertEquals(await messages.receive(), null);
});

Deno.test("FramedConn.receiveBytes() gives bodies of their own: to transfer one harms nothing", async () => {
  const messages = reader([framesOf("first", "second", "third"), framesOf("fourth"), null]);

  for (const text of ["first", "second", "third", "fourth"]) {
    const body = (await messages.receiveBytes())!;
    assertEquals([body, body.buffer.byteLength], [utf8(text), text.length]);
    structuredClone(body, { transfer: [body.buffer] });
    assertEquals(body.length, 0);
  }

  assertEquals(await messages.receive(), null);
});
