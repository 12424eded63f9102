import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { spy } from "@std/testing/mock";
import { giveBuffer, takeBuffer } from "../../../lib/frame/buffer_pool.ts";
import { FrameEncoder } from "../../../lib/frame/frame_encoder.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { NO_FRAMES, type SharedFrames } from "../../../lib/frame/shared_frames.ts";
import { concat, frameOf, framesOf, mixedTexts, seededRandom, utf8 } from "../../support/bytes.ts";
import { takeAll } from "./pool.ts";

const ABOVE_SHORT = "x".repeat(25);

function encode(...texts: string[]): Uint8Array {
  const encoder = new FrameEncoder();
  for (const text of texts) encoder.push(text);
  return encoder.take();
}

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

Deno.test("FrameEncoder.reportSent() tells of 200,000 shared frames that were copied into the buffer", () => {
  /** Copies them at once: frames so small are copied earlier, and large ones would be 200 MB. */
  class CopyingEncoder extends FrameEncoder {
    copy(frames: SharedFrames): void {
      this.add(frames.bytes);
      this.addedShared(frames);
    }
  }
  let told = 0;
  const encoder = new CopyingEncoder({ onSent: (bodyBytes) => told += bodyBytes });
  const frame = framesOf("x");
  let frames = NO_FRAMES;
  for (let i = 0; i < 200_000; i++) frames = frames.append(frame);

  encoder.copy(frames);
  encoder.take();
  encoder.reportSent();

  assertEquals(told, 200_000);
});

Deno.test("FrameEncoder.push() encodes 3,000 mixed texts as encodeFrame() does", () => {
  const texts = mixedTexts(3000, seededRandom(4));

  assertEquals(encode(...texts), framesOf(...texts));
});

Deno.test("FrameEncoder.push() encodes texts of characters of every length, short and long, batch after batch", () => {
  const encoder = new FrameEncoder();
  for (const piece of ["a", "é", "語", "𝄞", "aé語𝄞"]) {
    for (const times of [1, 20, 24, 26, 33, 99, 101, 341, 500, 30_000]) {
      const text = piece.repeat(times);
      const texts = [text, "", text, "b", text];
      assertEquals(encode(...texts), framesOf(...texts));
      for (const batch of [["z".repeat(90), ...texts], [text], ["a", text, "b"]]) {
        batch.forEach((text) => encoder.push(text));
        assertEquals(encoder.take(), framesOf(...batch));
        encoder.release();
      }
    }
  }
});

Deno.test("FrameEncoder queues texts, bodies, raw bytes and shared frames one behind the other", () => {
  const frame = framesOf("shared");
  const kinds: Record<string, (encoder: FrameEncoder) => void> = {
    a: (encoder) => encoder.push("a"),
    "я": (encoder) => encoder.push("я"),
    body: (encoder) => encoder.pushBytes(utf8("body")),
    raw: (encoder) => encoder.pushRaw(framesOf("raw")),
    shared: (encoder) => encoder.pushFrame(frame),
  };
  const names = Object.keys(kinds);
  const encoder = new FrameEncoder();

  for (const first of names) {
    for (const second of names) {
      for (const third of names) {
        const texts = [first, second, third];
        for (const text of texts) kinds[text]!(encoder);
        assertEquals(encoder.take(), framesOf(...texts));
        assertEquals(encoder.queuedBytes, 0);
        encoder.release();
      }
    }
  }
  assertEquals(frame, framesOf("shared"));
});

Deno.test("FrameEncoder.pushBytes() and pushRaw() copy, also what is not UTF-8", () => {
  const encoder = new FrameEncoder();
  const body = new Uint8Array([0xff, 0, 0x80]);

  encoder.pushBytes(body);
  encoder.pushRaw(body);
  body.fill(7);

  assertEquals(encoder.take(), concat(frameOf(0xff, 0, 0x80), new Uint8Array([0xff, 0, 0x80])));
});

Deno.test("FrameEncoder.take() hands over bytes that nothing touches until release(), which sends none again", () => {
  const encoder = new FrameEncoder();
  encoder.push("first".repeat(10));
  const taken = encoder.take();
  encoder.push("second");

  assertEquals(taken, framesOf("first".repeat(10)));
  encoder.release();
  const other = new FrameEncoder();
  other.push("a");
  const sent = other.take();
  assert(sent.buffer === taken.buffer);
  assertEquals(sent, framesOf("a"));
  assertEquals(encoder.take(), framesOf("second"));
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
  for (const text of ["aяcя", "語語", "🙂🙂", "\u0800\uffff"]) {
    assertThrows(() => encoder.push(text), FrameTooLargeError);
  }
  encoder.push("語я");
  assertEquals(encoder.take(), framesOf("abcde", "語я"));
});

Deno.test("FrameEncoder.maxBodyBytes holds for what is pushed from then on", () => {
  const encoder = new FrameEncoder();
  encoder.push("abcdef");

  encoder.maxBodyBytes = 5;

  assertThrows(() => encoder.push("abcdef"), FrameTooLargeError);
  assertThrows(() => encoder.maxBodyBytes = NaN, RangeError);
  assertEquals(encoder.take(), framesOf("abcdef"));
});

Deno.test("FrameEncoder.push() grows its buffer a few times for many messages, and counts what is queued", () => {
  const encoder = new FrameEncoder();
  const allocated = Deno.memoryUsage().external;
  for (let i = 0; i < 100_000; i++) encoder.push("0123456789");

  assertEquals(encoder.queuedBytes, 1_400_000);
  assertLess(Deno.memoryUsage().external - allocated, 10_000_000);
  encoder.clear();
  for (let i = 0; i < 4; i++) encoder.push("ё".repeat(4096));
  assertEquals(encoder.queuedBytes, 4 * (4 + 8192), "exact once 16 Ki characters wait");
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
  const frame = framesOf("shared");
  const encoder = new FrameEncoder({ maxBodyBytes: 6 });
  encoder.pushFrame(frame);
  assertThrows(() => encoder.push("too long"), FrameTooLargeError);
  assertThrows(() => encoder.pushBytes(utf8("too long")), FrameTooLargeError);
  assertThrows(() => encoder.push("\ud800"), TypeError);
  assertEquals(encoder.take(), frame);
  encoder.release();

  encoder.pushFrame(frame);
  const shared = NO_FRAMES.append(frame);
  encoder.push("a");
  encoder.clear();
  assertEquals(encoder.queuedBytes, 0);
  assertEquals(encoder.take().length, 0);
  encoder.pushFrame(frame);
  encoder.clear();
  assertEquals(encoder.queuedBytes, 0);
  assert(NO_FRAMES.append(frame) !== shared, "no frame stays in memory for others to share");
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
