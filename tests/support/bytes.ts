/**
 * Bytes for tests: joined, framed, cut into chunks at random but always the same way, and as a secret may be stored.
 *
 * @module
 */
import { encodeFrame, HEADER_BYTES, writeHeader } from "../../lib/frame/frame.ts";

export { seededRandom } from "../../lib/base/seeded_random.ts";

const encoder = new TextEncoder();

/** Encodes a text as UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** Joins bytes. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Puts a header in front of any bytes, also of bytes that are not UTF-8. */
export function frameOf(...body: number[]): Uint8Array<ArrayBuffer> {
  return concat(header(body.length), new Uint8Array(body));
}

/** The header that announces so many bytes. */
export function header(bodyBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  writeHeader(bytes, 0, bodyBytes);
  return bytes;
}

/** The frames of many texts, one behind the other. */
export function framesOf(...texts: string[]): Uint8Array<ArrayBuffer> {
  return concat(...texts.map((text) => encodeFrame(text, { maxBodyBytes: 2 ** 32 - 1 })));
}

/** Cuts bytes into chunks of 1 byte to `maxBytes`, small ones more often than large ones. */
export function* chunksOf(
  bytes: Uint8Array<ArrayBuffer>,
  random: () => number,
  maxBytes: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(maxBytes ** random() - 1 + random());
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Texts of all kinds in random order: empty, ASCII, Cyrillic, emoji, U+FFFD, BOM, and lengths around every border. */
export function mixedTexts(count: number, random: () => number): string[] {
  const lengths = [0, 1, 2, 16, 100, 127, 128, 200, 255, 256, 511, 512, 599, 600, 601, 5000];
  const alphabets = [
    "ascii text, ",
    "ascii text, ",
    "ascii text, ",
    "Привет",
    "🙂",
    "a\ufffd",
    "\ufeffb",
  ];
  const pick = <T>(from: T[]): T => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: count }, () => {
    const alphabet = pick(alphabets);
    return alphabet.repeat(Math.ceil(pick(lengths) / alphabet.length));
  });
}

/** A binary string: one character for each byte, so that bytes can be searched like text. */
export function binary(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The disguises of a text, as binary strings. */
export function disguises(secret: string): string[] {
  const utf16 = Uint8Array.from(
    [...secret].flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8]),
  );
  return [...[utf8(secret), utf16].flatMap(encodings), [...secret].reverse().join("")];
}

/** The disguises of bytes, as binary strings. */
export function encodings(bytes: Uint8Array): string[] {
  return [
    binary(bytes),
    bytes.toHex(),
    bytes.toHex().toUpperCase(),
    bytes.toBase64({ omitPadding: true }),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
}
