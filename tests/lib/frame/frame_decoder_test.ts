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

Deno.test("FrameDecoder gives the frames of any chunks, empty ones too", () => {
  const three = ["abcdefghi", "123", "hello world"];
  const mixed = ["", "a", "", "Привет", "🙂", "x".repeat(200), ""];
  const table: [chunks: (Uint8Array | string)[], texts: string[]][] = [
    [[], []],
    [["\0\0\0\x09abcdefghi"], ["abcdefghi"]],
    [["\0\0\0\x09abcdefghi\0\0\0\x03123\0\0\0\x0bhello world"], three],
    [["\0\0", "\0\x09abc", "defghi"], ["abcdefghi"]],
    [["\0\0", "\0\x09abc", "defghi", "\0\0\0\x0312", "3\0\0\0\x0bhello world"], three],
    [[framesOf(...mixed)], mixed],
    [[...framesOf(...mixed)].map((byte) => new Uint8Array([byte])), mixed],
  ];

  for (const [chunks, texts] of table) assertEquals(decode(...chunks), texts);
});

Deno.test("FrameDecoder.end() throws inside a header and inside a body", () => {
  assertThrows(() => decode("\0\0"), Deno.errors.UnexpectedEof, "ended 2 bytes into a frame");
  assertThrows(() => decode("\0", "\0", "\0"), Deno.errors.UnexpectedEof);
  assertThrows(() => decode("\0\0\0\x01"), Deno.errors.UnexpectedEof);
  assertThrows(() => decode("\0\0\0\x09ab", "cd"), Deno.errors.UnexpectedEof, "ended 8 bytes");
});

Deno.test("FrameDecoder.next() takes a body at the limit, and refuses one byte more by the header alone", () => {
  for (const length of [6, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const decoder = new FrameDecoder({ maxBodyBytes: 5 });
    decoder.push(concat(framesOf("a", "abcde"), header(length)));

    assertEquals([decoder.next(), decoder.next()], ["a", "abcde"]);
    const error = assertThrows(() => decoder.next(), FrameTooLargeError);
    assertEquals(error.message, `Cannot receive a body of ${length} bytes: the limit is 5`);
    assertThrows(() => decoder.nextBytes(), FrameTooLargeError);
  }
});

Deno.test("FrameDecoder.maxBodyBytes holds from the next frame on, and not for the one under way", () => {
  const begun = (chunk: Uint8Array) => {
    const decoder = new FrameDecoder();
    decoder.push(chunk);
    assertEquals(decoder.next(), undefined);
    decoder.maxBodyBytes = 5;
    return decoder;
  };

  const atRest = begun(new Uint8Array());
  atRest.push(framesOf("abcdef"));
  assertThrows(() => atRest.next(), FrameTooLargeError);
  atRest.maxBodyBytes = 6;
  assertEquals(atRest.next(), "abcdef");

  const large = begun(utf8("\0\0\0\x09abcd"));
  large.push(concat(utf8("efghi"), framesOf("abcdef")));
  assertEquals(large.next(), "abcdefghi");
  assertThrows(() => large.next(), FrameTooLargeError);

  const small = begun(utf8("\0\0\0\x02a"));
  small.push(concat(utf8("b"), framesOf("c", "abcdef")));
  assertEquals([small.next(), small.next()], ["ab", "c"]);
  assertThrows(() => small.next(), FrameTooLargeError);

  const readPast = begun(utf8("\0\0\0\x09a"));
  readPast.read(new Uint8Array(5));
  readPast.push(header(6));
  assertThrows(() => readPast.next(), FrameTooLargeError);
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

  decoder.push(framesOf("ab", "cd", "ef"));
  assertEquals([decoder.next(), decoder.read(target.subarray(0, 1))], ["ab", 1]);
  assertEquals(decoder.next(), undefined, "the bytes as they stand, not as they were decoded");
  assertThrows(() => decoder.end(), Deno.errors.UnexpectedEof, "ended 11 bytes");
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

Deno.test("FrameDecoder.space() grows while chunks fill it, and shrinks at the second small one in a row", () => {
  const decoder = new FrameDecoder();
  const spaces = [];
  for (const bytes of [256, 4 * KIB, 200, 9 * KIB, 200, 200, 9, 9, 9]) {
    spaces.push(decoder.space().buffer.byteLength);
    decoder.filled(bytes);
    decoder.discard();
  }

  const [small, medium, large] = [256, 4 * KIB, 65 * KIB];
  assertEquals(spaces, [small, medium, large, large, large, large, medium, small, small]);
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
