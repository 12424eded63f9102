import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { spy } from "@std/testing/mock";
import { giveBuffer, takeBuffer } from "../../../lib/frame/buffer_pool.ts";
import { FrameEncoder } from "../../../lib/frame/frame_encoder.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { NO_FRAMES } from "../../../lib/frame/shared_frames.ts";
import { concat, frameOf, framesOf, mixedTexts, seededRandom, utf8 } from "../../support/bytes.ts";
import { takeAll } from "./pool.ts";

const ABOVE_SHORT = "x".repeat(25);

function encode(...texts: string[]): Uint8Array {
  const encoder = new FrameEncoder();
  for (const text of texts) encoder.push(text);
  return encoder.take();
}

Deno.test("FrameEncoder queues nothing for nothing", () => {
  const encoder = new FrameEncoder();

  assertEquals(encoder.queuedBytes, 0);
  assertEquals(encoder.take().length, 0);
});

Deno.test("FrameEncoder.push() queues frames one behind the other", () => {
  assertEquals(encode("abcdefghi", "", "123"), utf8("\0\0\0\x09abcdefghi\0\0\0\0\0\0\0\x03123"));
});

Deno.test("FrameEncoder.reportSent() calls onSent with the length of each body that was taken, in order", () => {
  const told: number[] = [];
  const encoder = new FrameEncoder({
    maxBodyBytes: 60,
    onSent: (bodyBytes) => told.push(bodyBytes),
  });
  encoder.pushFrame(framesOf("shared"));
  for (const text of ["", "a", "ё", "🙂", ABOVE_SHORT, "ё".repeat(25), "\ufeff"]) {
    encoder.push(text);
  }
  assertThrows(() => encoder.push("ё".repeat(31)), FrameTooLargeError);
  encoder.pushBytes(utf8("bytes"));
  encoder.pushRaw(utf8("raw"));
  encoder.pushFrame(framesOf("frame"));
  assertEquals(told, []);

  encoder.take();
  encoder.reportSent();

  assertEquals(told, [6, 0, 1, 2, 4, 25, 50, 3, 5, 5]);
  encoder.release();
  encoder.push("dropped");
  encoder.clear();
  encoder.take();
  encoder.reportSent();
  assertEquals(told.length, 10);
});

Deno.test("FrameEncoder.push() encodes 3,000 mixed texts as encodeFrame() does", () => {
  const texts = mixedTexts(3000, seededRandom(4));

  assertEquals(encode(...texts), framesOf(...texts));
});

Deno.test("FrameEncoder.push() encodes batch after batch whose alphabet changes", () => {
  const batches = [["a", "b"], ["я", "b"], ["я", "ю"], ["a", "b"], ["я"], ["a"], ["a", "я"], [
    "a",
    "b",
  ]];
  const encoder = new FrameEncoder();

  for (const texts of batches) {
    for (const text of texts) encoder.push(text);
    assertEquals(encoder.take(), framesOf(...texts));
    encoder.release();
  }
});

Deno.test("FrameEncoder.push() encodes texts of characters of every length, short and long, in batches", () => {
  for (const piece of ["a", "é", "語", "𝄞", "aé語𝄞"]) {
    for (const times of [1, 20, 24, 26, 33, 50, 99, 101, 500]) {
      const texts = [piece.repeat(times), "", piece.repeat(times), "b", piece.repeat(times)];
      assertEquals(encode(...texts), framesOf(...texts));
      assertEquals(encode("z".repeat(90), ...texts), framesOf("z".repeat(90), ...texts));
    }
  }
});

Deno.test("FrameEncoder.push() makes room for a text whose UTF-8 is three times as long", () => {
  for (const length of [24, 25, 300, 340, 341, 342, 1024, 30_000]) {
    const text = "語".repeat(length);

    assertEquals(encode("a", text, "b"), framesOf("a", text, "b"));
  }
});

Deno.test("FrameEncoder.push() refuses a lone surrogate and leaves the queue as it was", () => {
  for (const lone of ["\ud800", "\udc00a", ABOVE_SHORT + "\ud800", "ё".repeat(25) + "\udbff"]) {
    const encoder = new FrameEncoder();
    encoder.push("a");

    assertThrows(() => encoder.push(lone), TypeError, "lone surrogate");
    encoder.push("b");
    assertEquals(encoder.take(), framesOf("a", "b"));
  }
});

Deno.test("FrameEncoder.push() refuses a body over the limit and leaves the queue as it was", () => {
  const encoder = new FrameEncoder({ maxBodyBytes: 5 });
  encoder.push("abcde");

  const error = assertThrows(() => encoder.push("abcdef"), FrameTooLargeError);
  assertEquals(error.message, "Cannot send a body of 6 bytes: the limit is 5");
  assertThrows(() => encoder.push("яяя"), FrameTooLargeError, "of 6 bytes");
  assertThrows(() => encoder.pushBytes(new Uint8Array(6)), FrameTooLargeError, "of 6 bytes");
  encoder.push("яя");
  assertEquals(encoder.take(), framesOf("abcde", "яя"));
});

Deno.test("FrameEncoder.maxBodyBytes holds for what is pushed from then on", () => {
  const encoder = new FrameEncoder();
  encoder.push("abcdef");

  encoder.maxBodyBytes = 5;

  assertThrows(() => encoder.push("abcdef"), FrameTooLargeError);
  assertThrows(() => encoder.maxBodyBytes = NaN, RangeError);
  assertEquals(encoder.take(), framesOf("abcdef"));
});

Deno.test("FrameEncoder.pushBytes() copies a body that is not UTF-8", () => {
  const encoder = new FrameEncoder();
  const body = new Uint8Array([0xff, 0, 0x80]);

  encoder.pushBytes(body);
  body.fill(7);

  assertEquals(encoder.take(), frameOf(0xff, 0, 0x80));
});

Deno.test("FrameEncoder.pushRaw() queues bytes without a header", () => {
  const encoder = new FrameEncoder();
  encoder.push("a");
  encoder.pushRaw(utf8("raw"));
  encoder.pushRaw(framesOf("ready"));

  assertEquals(encoder.take(), concat(framesOf("a"), utf8("raw"), framesOf("ready")));
});

Deno.test("FrameEncoder.take() hands over bytes that later messages do not touch", () => {
  const encoder = new FrameEncoder();
  encoder.push("first");
  const taken = encoder.take();

  encoder.push("second");

  assertEquals(taken, framesOf("first"));
  assertEquals(encoder.take(), framesOf("second"));
});

Deno.test("FrameEncoder.release() lets the buffer be used again, and nothing of it is sent again", () => {
  const secret = new FrameEncoder();
  secret.push("secret".repeat(30));
  const taken = secret.take();
  secret.release();

  const other = new FrameEncoder();
  other.push("a");
  const sent = other.take();

  assert(sent.buffer === taken.buffer);
  assertEquals(sent, framesOf("a"));
});

Deno.test("FrameEncoder.clear() forgets what is queued", () => {
  const encoder = new FrameEncoder();
  encoder.push("a");

  encoder.clear();

  assertEquals(encoder.queuedBytes, 0);
  encoder.push("b");
  assertEquals(encoder.take(), framesOf("b"));
});

Deno.test("FrameEncoder.push() grows its buffer a few times for many messages", () => {
  const encoder = new FrameEncoder();
  const allocated = Deno.memoryUsage().external;
  for (let i = 0; i < 100_000; i++) encoder.push("0123456789");

  assertEquals(encoder.queuedBytes, 1_400_000);
  assertLess(Deno.memoryUsage().external - allocated, 10_000_000);
});

Deno.test("FrameEncoder.push() counts the bytes of a text near the limit exactly", () => {
  for (const text of ["abcdef", "éé", "語語", "🙂🙂", "a\u07ffb", "\u0800\uffff"]) {
    const bytes = utf8(text).length;
    const exact = new FrameEncoder({ maxBodyBytes: bytes });
    exact.push(text);
    assertEquals(exact.take(), framesOf(text));

    const error = assertThrows(
      () => new FrameEncoder({ maxBodyBytes: bytes - 1 }).push(text),
      FrameTooLargeError,
    );
    assertEquals(error.maxBodyBytes, bytes - 1);
  }
});

Deno.test("FrameEncoder keeps the order of texts, bodies and raw bytes", () => {
  const encoder = new FrameEncoder();
  encoder.push("a");
  encoder.pushBytes(utf8("b"));
  encoder.push("c");
  encoder.push("é");
  encoder.pushRaw(framesOf("d"));
  encoder.push("e");

  encoder.push("ё");
  assertEquals(encoder.take(), framesOf("a", "b", "c", "é", "d", "e", "ё"));
  assertEquals(encoder.queuedBytes, 0);
});

Deno.test("FrameEncoder.pushFrame() hands over the very bytes while nothing else waits, and a copy else", () => {
  const frame = framesOf("shared");
  const encoder = new FrameEncoder();
  encoder.pushFrame(frame);
  assertEquals(encoder.queuedBytes, frame.length);
  assert(encoder.take() === frame);
  encoder.release();

  encoder.push("a");
  encoder.pushFrame(frame);
  const taken = encoder.take();
  assert(taken.buffer !== frame.buffer);
  assertEquals(taken, framesOf("a", "shared"));
});

Deno.test("FrameEncoder.pushFrame() keeps its order among messages of every kind", () => {
  const frame = framesOf("shared");
  const kinds: ((encoder: FrameEncoder) => void)[] = [
    (encoder) => encoder.push("a"),
    (encoder) => encoder.pushBytes(utf8("a")),
    (encoder) => encoder.pushRaw(framesOf("a")),
  ];

  for (const push of kinds) {
    const encoder = new FrameEncoder();
    encoder.pushFrame(frame);
    push(encoder);
    assertEquals(encoder.take(), framesOf("shared", "a"));
    encoder.release();

    encoder.pushFrame(frame);
    push(encoder);
    encoder.pushFrame(frame);
    assertEquals(encoder.take(), framesOf("shared", "a", "shared"));
    assertEquals(frame, framesOf("shared"));
  }
});

Deno.test("FrameEncoder.push() gives back the room that a refused text took", () => {
  takeAll();
  const encoder = new FrameEncoder({ maxBodyBytes: 10 });

  assertThrows(() => encoder.push("ё".repeat(6)), FrameTooLargeError);

  const buffer = takeBuffer(1);
  giveBuffer(buffer);
  encoder.push("ё");
  assertStrictEquals(encoder.take().buffer, buffer.buffer);
});

Deno.test("FrameEncoder.pushFrame() is left alone by a message that is refused, and forgotten by clear()", () => {
  const encoder = new FrameEncoder({ maxBodyBytes: 6 });
  encoder.pushFrame(framesOf("shared"));
  assertThrows(() => encoder.push("too long"), FrameTooLargeError);
  assertThrows(() => encoder.pushBytes(utf8("too long")), FrameTooLargeError);
  assertThrows(() => encoder.push("\ud800"), TypeError);
  assertEquals(encoder.take(), framesOf("shared"));
  encoder.release();

  encoder.pushFrame(framesOf("shared"));
  encoder.clear();
  assertEquals(encoder.queuedBytes, 0);
  assertEquals(encoder.take().length, 0);
});

Deno.test("FrameEncoder.push() encodes in one call what is short or seems to be ASCII, and else one by one", () => {
  const encoder = new FrameEncoder({ onSent: () => {} });
  const encodesOf = (text: string) => {
    using encodes = spy(TextEncoder.prototype, "encodeInto");
    for (let i = 0; i < 10; i++) encoder.push(text);
    encoder.take();
    encoder.release();
    return encodes.calls.length;
  };
  const [ascii, other] = ["x".repeat(500), "ё".repeat(500)];

  // What the texts are is known when they are encoded: the first of another kind show it.
  const kinds = [ascii, other, other, "ё", other, ascii, ascii];
  assertEquals(kinds.map(encodesOf), [1, 1, 10, 1, 10, 10, 1]);
});

Deno.test("FrameEncoder.queuedBytes is exact once 16 Ki characters wait", () => {
  const encoder = new FrameEncoder();
  for (let i = 0; i < 4; i++) encoder.push("ё".repeat(4096));

  assertEquals(encoder.queuedBytes, 4 * (4 + 8192));
});

Deno.test("FrameEncoder.release() gives each buffer back once", () => {
  takeAll();
  const encoder = new FrameEncoder();
  encoder.push("a");
  encoder.take();
  encoder.release();

  encoder.pushFrame(framesOf("shared"));
  encoder.take();
  encoder.release();

  assert(takeBuffer(1) !== takeBuffer(1));
});

Deno.test("FrameEncoder gives a buffer back that it has outgrown, and with clear(), and then lets go of it", () => {
  for (const leave of ["outgrow", "clear"]) {
    takeAll();
    const encoder = new FrameEncoder();
    encoder.pushRaw(utf8("a"));

    if (leave === "clear") encoder.clear();
    else encoder.pushRaw(new Uint8Array(300));
    const given = takeBuffer(1);
    assertEquals(given[0], 0x61);
    giveBuffer(given);

    const other = new FrameEncoder();
    other.pushRaw(utf8("b"));
    encoder.pushRaw(utf8("c"));
    assertEquals(other.take(), utf8("b"));
  }
});

Deno.test("FrameEncoder.clear() leaves no frame in memory for other connections to share", () => {
  const frame = framesOf("shared");
  const encoder = new FrameEncoder();
  encoder.pushFrame(frame);
  const shared = NO_FRAMES.append(frame);

  encoder.clear();

  assert(NO_FRAMES.append(frame) !== shared);
});

Deno.test("FrameEncoder shares large frames with other receivers, however many wait", () => {
  const encoders = [new FrameEncoder(), new FrameEncoder()];
  const frames = Array.from({ length: 1000 }, (_, i) => framesOf(`${i}`.padEnd(2000)));

  for (const frame of frames) encoders.forEach((encoder) => encoder.pushFrame(frame));
  const [first, second] = encoders.map((encoder) => encoder.take());

  assert(first === second);
  assertEquals(first!.length, 1000 * 2004);
  for (const [i, frame] of frames.entries()) {
    assertEquals(first!.subarray(i * 2004, (i + 1) * 2004), frame);
  }
});
