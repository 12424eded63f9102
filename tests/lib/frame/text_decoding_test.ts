import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import { spy } from "@std/testing/mock";
import { FrameDecoder } from "../../../lib/frame/frame_decoder.ts";
import {
  chunksOf,
  concat,
  frameOf,
  framesOf,
  mixedTexts,
  seededRandom,
  utf8,
} from "../../support/bytes.ts";

const BAD = frameOf(0x61, 0xff, 0x62);

/** What `next` gives until there is no more, with "InvalidData" for each body that is not UTF-8. */
function decode(bytes: Uint8Array): string[] {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const texts = [];
  for (;;) {
    try {
      const text = decoder.next();
      if (text === undefined) return texts;
      texts.push(text);
    } catch (error) {
      assertInstanceOf(error, Deno.errors.InvalidData);
      texts.push("InvalidData");
    }
  }
}

/** How many calls of a `TextDecoder` it takes to decode them, one batch behind the other. */
function decodesOf(...batches: string[][]): number {
  using decodes = spy(TextDecoder.prototype, "decode");
  decode(framesOf(...batches.flat()));
  return decodes.calls.length;
}

const assertDecodes = (...texts: string[]) => assertEquals(decode(framesOf(...texts)), texts);

Deno.test("FrameDecoder.next() refuses every kind of bytes that are not UTF-8, and gives the next frame", () => {
  const kinds = [[0x80], [0xc3], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf5, 1, 1, 1]];
  for (const body of kinds) {
    const decoder = new FrameDecoder();
    decoder.push(concat(frameOf(...body), framesOf("good")));

    const error = assertThrows(() => decoder.next(), Deno.errors.InvalidData);
    assertEquals(
      error.message,
      `Cannot receive a text: the body of ${body.length} bytes is not UTF-8`,
    );
    assertInstanceOf(error.cause, TypeError);
    assertEquals(decoder.next(), "good");
  }
});

Deno.test("FrameDecoder.next() refuses a bad body wherever it stands in a run, also halves of one character", () => {
  const good = ["a", "bb", "", "\ufffd", "e"];
  for (const bad of [[BAD], [frameOf(0xd1), frameOf(0x91)]]) {
    for (let place = 0; place <= good.length; place++) {
      const [before, after] = [good.slice(0, place), good.slice(place)];
      const bytes = concat(framesOf(...before), ...bad, framesOf(...after));

      assertEquals(decode(bytes), [...before, ...bad.map(() => "InvalidData"), ...after]);
    }
  }
});

Deno.test("FrameDecoder.next() gives a U+FFFD that was sent and keeps a BOM, alone and inside a run", () => {
  for (const text of ["\ufffd", "\ufeff", "\ufeffa", "a\ufeff", "\ufeff\ufffd"]) {
    assertDecodes(text);
    assertDecodes(text, "a", text, text, "b");
    assertDecodes("a", `${text}b`, text.repeat(300));
  }
});

Deno.test("FrameDecoder.next() gives bodies of 0 to 2,100 bytes in runs, whose headers have high bits", () => {
  for (let bytes = 0; bytes <= 2100; bytes++) {
    const [x, y] = ["x".repeat(bytes), "y".repeat(bytes)];
    assertDecodes(x, y);
    if (bytes % 64 < 3) assertDecodes("a", x, "b", y, "ё", x, "c");
  }
});

Deno.test("FrameDecoder.next() leaves the headers as they were for read(), in a run and when it is none", () => {
  const long = "x".repeat(200);
  for (const texts of [[long, long, long], [long, "ё", long, long]]) {
    const bytes = framesOf(...texts);
    const decoder = new FrameDecoder();
    decoder.push(bytes);
    assertEquals(decoder.next(), long);

    const rest = new Uint8Array(bytes.length);
    assertEquals(rest.subarray(0, decoder.read(rest)), bytes.subarray(204));
  }
});

Deno.test("FrameDecoder.next() gives texts whose alphabet changes again and again", () => {
  for (let length = 1; length <= 8; length++) {
    const ascii = Array.from({ length }, (_, i) => `text ${i}`);
    const other = Array.from({ length }, (_, i) => `текст ${i}`);
    assertDecodes(...ascii, ...other, ...ascii, ...other, "", ...other, ...ascii);
  }
});

Deno.test("FrameDecoder.next() gives texts of characters of every length, short and long, in runs", () => {
  for (const piece of ["é", "語", "𝄞", "aé語𝄞", "\ufeff語"]) {
    for (const times of [1, 5, 30, 45, 60, 90, 200, 600]) {
      const text = piece.repeat(times);
      assertDecodes(text, text, "a", "", text, `${text}b`, `b${text}`);
    }
  }
});

Deno.test("FrameDecoder.bodyBytes is in bytes also where a run is not ASCII", () => {
  const decoder = new FrameDecoder();
  decoder.push(framesOf("é", "語", "a", "𝄞"));
  const taken = [];
  for (let text; (text = decoder.next()) !== undefined;) taken.push([text, decoder.bodyBytes]);

  assertEquals(taken, [["é", 2], ["語", 3], ["a", 1], ["𝄞", 4]]);
});

Deno.test("FrameDecoder.next() refuses a body that ends inside a character, and gives its neighbours", () => {
  for (let length = 1; length <= 3; length++) {
    const truncated = frameOf(...utf8("я𝄞").subarray(0, 2 + length));
    const bytes = concat(framesOf("é", "語"), truncated, framesOf("я"));
    assertEquals(decode(bytes), ["é", "語", "InvalidData", "я"]);
    assertEquals(decode(concat(framesOf("é"), truncated)), ["é", "InvalidData"]);
  }
});

Deno.test("FrameDecoder.next() gives frames across the end of a run at 16 KiB", () => {
  for (let offset = 0; offset < 40; offset++) {
    const filler = Array.from({ length: 820 }, (_, i) => String(i).padEnd(16, "."));
    assertDecodes("x".repeat(offset), ...filler, ...filler, "ё", ...filler);
  }
  assertDecodes(...Array.from({ length: 20_000 }, (_, i) => String(i % 10)));
});

Deno.test("FrameDecoder.next() decodes in few calls what is short or ASCII, and one by one what is neither", () => {
  const [short, ascii] = [Array(100).fill("текст"), Array(40).fill("x".repeat(300))];
  const long = Array(60).fill("ё".repeat(150));

  for (const texts of [Array(100).fill("text"), short, ascii]) {
    assertLess(decodesOf(texts), texts.length / 10);
    // The first run is looked at in vain, and the first text of the other kind shows that runs pay again.
    assertLess(decodesOf(long, texts), 1 + 60 + 1 + texts.length / 10);
  }
  assertEquals(decodesOf(long), 1 + 60);
  assertEquals(decodesOf(Array(50).fill("a").with(25, "\ufffd")), 1 + 50 + 1);
});

Deno.test("FrameDecoder.next() decodes no text together with more than 32 times its frame, or 1 KiB", () => {
  const sizes = [21, 21, 21, 1000, 21, 1000, 1000, 1000, 64, 64, 64, 21, 2048, 2048, 3000, 3000];
  const texts = Array.from({ length: 200 }, () => sizes.map((size) => "x".repeat(size))).flat();
  using decodes = spy(TextDecoder.prototype, "decode");

  assertDecodes(...texts);

  let taken = 0;
  for (const { args: [run] } of decodes.calls) {
    const { byteLength } = run as Uint8Array;
    for (let at = 0; at < byteLength; taken++) {
      const frameBytes = 4 + texts[taken]!.length;
      assertLessOrEqual(byteLength, Math.max(1024, 32 * frameBytes));
      at += frameBytes;
    }
  }
  assertEquals(taken, texts.length);
  assertLess(decodes.calls.length, texts.length);
});

for (const seed of [1, 2, 3]) {
  const random = seededRandom(seed);
  const texts = mixedTexts(3000, random);
  const bytes = framesOf(...texts);

  Deno.test(`FrameDecoder.next() gives 3,000 mixed texts of random chunks (seed ${seed})`, () => {
    for (const maxBytes of [3, 300, 70_000]) {
      const decoder = new FrameDecoder();
      const got: string[] = [];
      for (const chunk of chunksOf(bytes, random, maxBytes)) {
        decoder.push(chunk);
        for (let text; (text = decoder.next()) !== undefined;) got.push(text);
      }
      decoder.end();

      assertEquals(got.length, texts.length);
      assertEquals(got.findIndex((text, i) => text !== texts[i]), -1);
    }
  });

  Deno.test(`FrameDecoder.nextBytes() gives 3,000 mixed messages of random chunks (seed ${seed})`, () => {
    const decoder = new FrameDecoder();
    const got: Uint8Array[] = [];
    for (const chunk of chunksOf(bytes, random, 3000)) {
      decoder.push(chunk);
      for (let body; (body = decoder.nextBytes());) got.push(body);
    }
    decoder.end();

    const decoder8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
    assertEquals(got.length, texts.length);
    assertEquals(got.findIndex((body, i) => decoder8.decode(body) !== texts[i]), -1);
  });
}
