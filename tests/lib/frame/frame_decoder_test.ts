import { assert, assertEquals, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import { FrameDecoder } from "../../../lib/frame/frame_decoder.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { concat, frameOf, framesOf, header, utf8 } from "../../support/bytes.ts";
import { takeAll } from "./pool.ts";

const KIB = 1024;

function* take(decoder: FrameDecoder): Generator<string> {
  for (let text; (text = decoder.next()) !== undefined;) yield text;
}

/** Fills `space()` as a read would, and says how large it was. */
function fill(decoder: FrameDecoder, chunk: Uint8Array): number {
  const space = decoder.space();
  space.set(chunk);
  decoder.filled(chunk.length);
  return space.length;
}

function decode(...chunks: (Uint8Array | string)[]): string[] {
  const decoder = new FrameDecoder();
  const texts = [];
  for (const chunk of chunks) {
    decoder.push(typeof chunk === "string" ? utf8(chunk) : chunk);
    texts.push(...take(decoder));
  }
  decoder.end();
  return texts;
}

Deno.test("FrameDecoder gives nothing for nothing", () => {
  assertEquals(decode(), []);
});

Deno.test("FrameDecoder gives one frame of one chunk", () => {
  assertEquals(decode("\0\0\0\x09abcdefghi"), ["abcdefghi"]);
});

Deno.test("FrameDecoder gives many frames of one chunk", () => {
  const chunk = "\0\0\0\x09abcdefghi\0\0\0\x03123\0\0\0\x0bhello world";

  assertEquals(decode(chunk), ["abcdefghi", "123", "hello world"]);
});

Deno.test("FrameDecoder gives one frame of many chunks", () => {
  assertEquals(decode("\0\0", "\0\x09abc", "defghi"), ["abcdefghi"]);
});

Deno.test("FrameDecoder gives many frames of many chunks", () => {
  const chunks = ["\0\0", "\0\x09abc", "defghi", "\0\0\0\x0312", "3\0\0\0\x0bhello world"];

  assertEquals(decode(...chunks), ["abcdefghi", "123", "hello world"]);
});

Deno.test("FrameDecoder gives frames that arrive byte by byte", () => {
  const texts = ["", "a", "", "Привет", "🙂", "x".repeat(200), ""];

  assertEquals(decode(...[...framesOf(...texts)].map((byte) => new Uint8Array([byte]))), texts);
});

Deno.test("FrameDecoder.next() gives an empty message, which is not the end", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("", "a", "", ""));

  assertEquals([...take(decoder)], ["", "a", "", ""]);
  assertEquals(decoder.next(), undefined);
});

Deno.test("FrameDecoder.nextBytes() gives an empty message, which is not the end", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("", "a"));

  assertEquals(decoder.nextBytes(), new Uint8Array());
  assertEquals(decoder.nextBytes(), utf8("a"));
  assertEquals(decoder.nextBytes(), undefined);
});

Deno.test("FrameDecoder.end() throws inside a header and inside a body", () => {
  assertThrows(() => decode("\0\0"), Deno.errors.UnexpectedEof, "ended 2 bytes into a frame");
  assertThrows(() => decode("\0", "\0", "\0"), Deno.errors.UnexpectedEof);
  assertThrows(() => decode("\0\0\0\x01"), Deno.errors.UnexpectedEof);
  assertThrows(() => decode("\0\0\0\x09ab", "cd"), Deno.errors.UnexpectedEof, "ended 8 bytes");
});

Deno.test("FrameDecoder.next() takes a body at the limit and refuses one byte more", () => {
  const decoder = new FrameDecoder({ maxBodyBytes: 5 });
  decoder.push(utf8("\0\0\0\x05abcde\0\0\0\x06abcdef"));

  assertEquals(decoder.next(), "abcde");
  const error = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals(error.message, "Cannot receive a body of 6 bytes: the limit is 5");
  assertThrows(() => decoder.nextBytes(), FrameTooLargeError);
});

Deno.test("FrameDecoder.next() refuses by the header alone, also in the middle of small frames", () => {
  const decoder = new FrameDecoder({ maxBodyBytes: 5 });
  decoder.push(utf8("\0\0\0\x01a\0\0\0\x01b\0\0\0\x06"));

  assertEquals([decoder.next(), decoder.next()], ["a", "b"]);
  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("FrameDecoder.next() refuses lengths from 2^31 on as the large numbers that they are", () => {
  for (const length of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const decoder = new FrameDecoder();
    decoder.push(concat(header(length), utf8("abc")));

    const error = assertThrows(() => decoder.next(), FrameTooLargeError);
    assertEquals(error.bodyBytes, length);
  }
});

Deno.test("FrameDecoder.next() waits for a body of 2^32 - 1 bytes if the limit allows it", () => {
  const decoder = new FrameDecoder({ maxBodyBytes: 2 ** 32 - 1 });
  decoder.push(concat(header(2 ** 32 - 1), utf8("abc")));

  assertEquals(decoder.next(), undefined);
  assertLessOrEqual(decoder.space().buffer.byteLength, 8 * KIB);
});

Deno.test("FrameDecoder.maxBodyBytes holds at rest from the next frame on", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("abcdefghi", "abcdefghi", "abcdefghi"));
  assertEquals(decoder.next(), "abcdefghi");

  decoder.maxBodyBytes = 5;

  assertThrows(() => decoder.next(), FrameTooLargeError);
  decoder.maxBodyBytes = 9;
  assertEquals([...take(decoder)], ["abcdefghi", "abcdefghi"]);
});

Deno.test("FrameDecoder.maxBodyBytes in flight lets the frame under way through", () => {
  const decoder = new FrameDecoder();
  decoder.push(utf8("\0\0\0\x09abcd"));
  assertEquals(decoder.next(), undefined);

  decoder.maxBodyBytes = 5;
  decoder.push(utf8("efghi\0\0\0\x09abcdefghi"));

  assertEquals(decoder.next(), "abcdefghi");
  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("FrameDecoder.maxBodyBytes holds for the frames after a small one under way", () => {
  const decoder = new FrameDecoder();
  decoder.push(utf8("\0\0\0\x02a"));
  assertEquals(decoder.next(), undefined);

  decoder.maxBodyBytes = 5;
  decoder.push(concat(utf8("b"), framesOf("c", "abcdefghi")));

  assertEquals([decoder.next(), decoder.next()], ["ab", "c"]);
  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("FrameDecoder.maxBodyBytes holds for what follows bytes read past the frames", () => {
  const decoder = new FrameDecoder({ maxBodyBytes: 5 });
  decoder.push(utf8("\0\0\0\x05a"));
  assertEquals(decoder.next(), undefined);

  decoder.read(new Uint8Array(5));
  decoder.push(header(6));

  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("FrameDecoder refuses a limit that no header can announce", () => {
  assertThrows(() => new FrameDecoder({ maxBodyBytes: -1 }), RangeError);
  assertThrows(() => new FrameDecoder().maxBodyBytes = 2 ** 32, RangeError);
});

Deno.test("FrameDecoder.bodyBytes is the length of the last body in bytes", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("a", "bb", "ё", "x".repeat(700), ""));

  for (const bytes of [1, 2, 2, 700, 0]) {
    if (bytes === 700) decoder.nextBytes();
    else decoder.next();
    assertEquals(decoder.bodyBytes, bytes);
  }
});

Deno.test("FrameDecoder.read() gives bytes, frames or not, and then whole frames again", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("ab", "cd", "ef", "gh"));
  assertEquals(decoder.next(), "ab");

  const target = new Uint8Array(5);
  assertEquals(decoder.read(target), 5);
  assertEquals(target, utf8("\0\0\0\x02c"));
  assertEquals(decoder.read(target.subarray(0, 1)), 1);

  assertEquals(decoder.bufferedBytes, 12);
  assertEquals([decoder.next(), decoder.nextBytes()], ["ef", utf8("gh")]);
  assertEquals(decoder.read(target), 0);
});

Deno.test("FrameDecoder.next() after read() takes the bytes as they stand, not as they were decoded", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("ab", "cd", "ef"));
  assertEquals(decoder.next(), "ab");

  decoder.read(new Uint8Array(1));

  assertEquals(decoder.next(), undefined);
  assertThrows(() => decoder.end(), Deno.errors.UnexpectedEof, "ended 11 bytes");
});

Deno.test("FrameDecoder gives texts and bytes in turn", () => {
  const texts = Array.from({ length: 30 }, (_, i) => `${i}${i % 7 ? "" : "ё"}`);
  const decoder = new FrameDecoder();
  decoder.push(framesOf(...texts));

  for (const [i, text] of texts.entries()) {
    if (i % 3 === 1) assertEquals(decoder.nextBytes(), utf8(text));
    else assertEquals(decoder.next(), text);
  }
});

Deno.test("FrameDecoder.nextBytes() gives bodies of their own, which nothing overwrites", () => {
  const decoder = new FrameDecoder();
  const bodies: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) {
    fill(decoder, concat(frameOf(i, i >> 8, 1), frameOf(i, i >> 8, 2)));
    bodies.push(decoder.nextBytes()!, decoder.nextBytes()!);
  }
  decoder.discard();
  for (let i = 0; i < 100; i++) new FrameDecoder().space().fill(0xee);

  for (const [i, body] of bodies.entries()) {
    const n = i >> 1;
    assertEquals([[...body], body.buffer.byteLength], [[n & 255, n >> 8, 1 + i % 2], 3]);
  }
});

Deno.test("FrameDecoder allocates nothing for a body that is only announced", () => {
  const before = Deno.memoryUsage().external;
  const decoders = Array.from({ length: 1000 }, () => new FrameDecoder());
  for (const decoder of decoders) {
    fill(decoder, concat(header(KIB * KIB), utf8("abc")));
    assertEquals(decoder.next(), undefined);
    assertEquals(decoder.space().buffer.byteLength, 256);
  }

  assertLess(Deno.memoryUsage().external - before, 8 * KIB * KIB);
});

Deno.test("FrameDecoder.space() grows with the bytes received, and copies each a bounded number of times", () => {
  const decoder = new FrameDecoder();
  const body = new Uint8Array(300 * KIB);
  const buffers = new Set<ArrayBufferLike>();
  fill(decoder, header(body.length));
  for (let received = 1; received <= body.length; received++) {
    const space = decoder.space();
    buffers.add(space.buffer);
    assertLessOrEqual(space.buffer.byteLength, Math.max(66 * KIB, 3 * received));
    decoder.filled(1);
    if (received % 8192 === 0 && received < body.length) assertEquals(decoder.next(), undefined);
  }

  assertEquals(decoder.nextBytes()!.length, body.length);
  assertLess(buffers.size, 12);
});

Deno.test("FrameDecoder.space() grows while the chunks fill it, and shrinks when they are small again", () => {
  const decoder = new FrameDecoder();
  const burst = framesOf("x".repeat(252));
  const spaces = [];
  for (let i = 0; i < 10; i++) {
    const space = decoder.space();
    for (let at = 0; at < space.length; at += burst.length) {
      space.set(burst.subarray(0, space.length - at), at);
    }
    decoder.filled(space.length);
    spaces.push(space.buffer.byteLength);
    while (decoder.nextBytes());
    decoder.discard();
  }
  assertEquals(spaces.slice(0, 4), [256, 4 * KIB, 65 * KIB, 65 * KIB]);

  const later = [];
  for (let i = 0; i < 5; i++) {
    fill(decoder, framesOf("small"));
    assertEquals([...take(decoder)], ["small"]);
    later.push(decoder.space().buffer.byteLength);
  }
  assertEquals(later, [65 * KIB, 4 * KIB, 256, 256, 256]);
});

Deno.test("FrameDecoder.space() stays large where a small chunk stands between large ones", () => {
  const decoder = new FrameDecoder();
  const spaces = [];
  for (const bytes of [256, 4 * KIB, 200, 9 * KIB, 200, 9 * KIB]) {
    spaces.push(decoder.space().buffer.byteLength);
    decoder.filled(bytes);
    decoder.discard();
  }
  assertEquals(spaces, [256, 4 * KIB, 65 * KIB, 65 * KIB, 65 * KIB, 65 * KIB]);
});

Deno.test("FrameDecoder.space() gives the memory of a large body back", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("x".repeat(KIB * KIB)));
  assertEquals(decoder.next()!.length, KIB * KIB);

  assertLessOrEqual(decoder.space().buffer.byteLength, 65 * KIB);
});

Deno.test("FrameDecoder.discard() begins anew, at a frame's beginning", () => {
  const decoder = new FrameDecoder({ maxBodyBytes: 5 });
  decoder.push(utf8("\0\0\0\x05abc"));
  assertEquals(decoder.next(), undefined);

  decoder.discard();

  assertEquals(decoder.bufferedBytes, 0);
  decoder.push(framesOf("abcdef"));
  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("FrameDecoder.space() begins at the front again when everything was taken", () => {
  const decoder = new FrameDecoder();
  for (let i = 0; i < 5; i++) {
    assertEquals(fill(decoder, framesOf("x".repeat(50))), 256);
    assertEquals([...take(decoder)].length, 1);
  }
});

Deno.test("FrameDecoder gives a buffer back that it has outgrown", () => {
  takeAll(1);
  const decoder = new FrameDecoder();
  const { buffer } = decoder.space();

  decoder.push(new Uint8Array(300));

  assert(takeAll(1).includes(buffer));
});

Deno.test("FrameDecoder.filled() refuses more than the space has", () => {
  const decoder = new FrameDecoder();
  const { length } = decoder.space();

  for (const bytes of [length + 1, -1, NaN, 0.5]) {
    assertThrows(() => decoder.filled(bytes), RangeError);
  }
  decoder.filled(length);

  assertEquals(decoder.bufferedBytes, length);
});
