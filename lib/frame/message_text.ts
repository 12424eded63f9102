/**
 * Bodies → texts: one by one, or many small ones for the price of one decode.
 *
 * A `TextDecoder` call costs much more than the few bytes it decodes. So a run of small frames is decoded whole, headers
 * included, and each message is a slice of the run's text. If all of it is ASCII there is a character for every byte;
 * otherwise the characters of each body are counted.
 *
 * @module
 */
import { HEADER_BYTES, readHeader } from "./frame.ts";
import { unitsIn } from "./utf8.ts";

// From this body length on, one call a body costs no more.
const MAX_BODY_BYTES = 2048;
// From this mean length on, to count characters costs more than one call a body.
const MAX_COUNTED_BYTES = 200;
// Each message is a slice that keeps the run's whole text alive, so a run is short.
const MAX_RUN_BYTES = 16 * 1024;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const REPLACEMENT = "\ufffd";

/**
 * Decodes one body.
 *
 * @throws {Deno.errors.InvalidData} If it is not UTF-8.
 */
export function decodeBody(body: Uint8Array): string {
  const text = utf8.decode(body);
  // The strict decoder is slow and right: it tells a U+FFFD that was sent from one that stands for bad bytes.
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return strictUtf8.decode(body);
  } catch (cause) {
    throw new Deno.errors.InvalidData(
      `Cannot receive a text: the body of ${body.length} bytes is not UTF-8`,
      { cause },
    );
  }
}

/** Whole small frames that lie one behind the other in a buffer. */
export interface Run {
  /** Where the last one ends. */
  readonly end: number;
  /** Their messages; none, if each is better decoded by itself. */
  readonly texts: readonly string[];
}

/** The run that has no frames. */
export const NO_RUN: Run = { end: 0, texts: [] };

/**
 * Whether texts like this one, which was decoded by itself from so many bytes, are worth decoding in runs: those that are
 * ASCII or short.
 */
export function suitsRuns(text: string, bodyBytes: number): boolean {
  return text.length === bodyBytes || bodyBytes <= MAX_COUNTED_BYTES;
}

/** Finds the run of two or more frames at `start`, with bodies up to `maxBodyBytes`, and decodes it if that pays. */
export function decodeRun(
  bytes: Uint8Array,
  start: number,
  bytesEnd: number,
  maxBodyBytes: number,
): Run {
  const limit = Math.min(bytesEnd, start + MAX_RUN_BYTES);
  const largest = Math.min(maxBodyBytes, MAX_BODY_BYTES);
  let frames = 0;
  let end = start;
  while (limit - end >= HEADER_BYTES) {
    const bodyBytes = readHeader(bytes, end);
    const next = end + HEADER_BYTES + bodyBytes;
    if (bodyBytes > largest || next > limit) break;
    if (bodyBytes & 0x80) clearHighBit(bytes, end + HEADER_BYTES - 1);
    lengths[frames++] = bodyBytes;
    end = next;
  }
  if (frames < 2) {
    restoreHighBits(bytes);
    return NO_RUN;
  }
  const run = bytes.subarray(start, end);
  const texts = cut(utf8.decode(run), run, frames);
  restoreHighBits(bytes);
  return { end, texts };
}

/** Cuts the text of a run into its messages, each preceded by the characters of its header; none, if that does not pay. */
function cut(text: string, run: Uint8Array, frames: number): readonly string[] {
  // Bad bytes give U+FFFD, and never a character together with the header behind them.
  if (text.includes(REPLACEMENT)) return NO_RUN.texts;
  const isAscii = text.length === run.length;
  if (!isAscii && run.length > frames * MAX_COUNTED_BYTES) return NO_RUN.texts;
  const texts: string[] = [];
  let start = 0;
  let body = 0;
  for (let i = 0; i < frames; i++) {
    const bodyBytes = lengths[i]!;
    start += HEADER_BYTES;
    body += HEADER_BYTES;
    const units = isAscii ? bodyBytes : unitsIn(run, body, body + bodyBytes);
    texts[i] = text.slice(start, start += units);
    body += bodyBytes;
  }
  return texts;
}

// The lengths of the bodies of the run that is being decoded. Decoding is synchronous, so all connections share them.
const lengths = new Int32Array(MAX_RUN_BYTES / HEADER_BYTES);

// A length of 128 or more has a high bit in the header's last byte (and in no other up to 2048). It is cleared
// while a run is decoded, and these are the places; they are shared, too.
const cleared = new Int32Array(MAX_RUN_BYTES / 128);
let clearedCount = 0;

function clearHighBit(bytes: Uint8Array, at: number): void {
  bytes[at]! &= 0x7f;
  cleared[clearedCount++] = at;
}

function restoreHighBits(bytes: Uint8Array): void {
  while (clearedCount > 0) bytes[cleared[--clearedCount]!]! |= 0x80;
}
