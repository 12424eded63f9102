/**
 * Bodies → texts: one by one, or many small ones in one call.
 *
 * A `TextDecoder` call costs much more than the few bytes it decodes. So a run of small frames is decoded as a whole,
 * headers included, and each message is a slice of the run's text. If all of it is ASCII, a character is a byte;
 * otherwise the characters of each body are counted.
 *
 * @module
 */
import { HEADER_BYTES, readHeader } from "./frame.ts";
import type { ReadBuffer } from "./read_buffer.ts";
import { unitsIn } from "./utf8.ts";

// From this body length on, one call a body costs no more.
const MAX_FRAME_BYTES = HEADER_BYTES + 2048;
// From this mean length on, to count characters costs more than one call a body.
const MAX_COUNTED_BYTES = 200;
// A slice keeps the text of its run in memory. So a run is at most 32 times as long as each of its frames, or 1 KiB.
const MAX_SHARERS = 32;
const SMALL_RUN_BYTES = 1024;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const REPLACEMENT = "\ufffd";
const NO_TEXTS: readonly string[] = [];

/** Decodes the bodies of one stream. A text keeps at most 1 KiB in memory, or 32 times its own frame. */
export class TextDecoding {
  /** The texts of the last run, and how many of them were given. */
  #texts = NO_TEXTS;
  #given = 0;
  /** Where in the stream the frame of the next of them begins. */
  #nextAt = -1;
  /** Up to here in the stream, decoding in runs was found not to pay. */
  #aloneUntil = 0;
  /** The last body decoded alone was ASCII or short: a sender mostly keeps its alphabet. */
  #expectsRuns = true;

  /**
   * Decodes the body of `bodyBytes` bytes that ends where the unused bytes of `buffer` begin, with its header before it.
   *
   * @throws {Deno.errors.InvalidData} If it is not UTF-8.
   */
  decode(buffer: ReadBuffer, bodyBytes: number): string {
    const frameBytes = HEADER_BYTES + bodyBytes;
    if (buffer.position - frameBytes === this.#nextAt || this.#decodeRun(buffer, frameBytes)) {
      return this.#nextOfRun(buffer.position);
    }
    const text = decodeBody(buffer.bytes.subarray(buffer.usedTo - bodyBytes, buffer.usedTo));
    this.#expectsRuns = text.length === bodyBytes || bodyBytes <= MAX_COUNTED_BYTES;
    return text;
  }

  /** Drops the texts that were decoded ahead. */
  forget(): void {
    this.#texts = NO_TEXTS;
    this.#nextAt = -1;
  }

  #nextOfRun(position: number): string {
    const text = this.#texts[this.#given++]!;
    if (this.#given < this.#texts.length) this.#nextAt = position;
    else this.forget();
    return text;
  }

  /** Decodes the frame just used and the next ones together, and returns whether that was possible. */
  #decodeRun({ bytes, usedTo, filledTo, position }: ReadBuffer, frameBytes: number): boolean {
    // Most often there is no next frame.
    if (filledTo - usedTo < HEADER_BYTES || !this.#expectsRuns || position <= this.#aloneUntil) {
      return false;
    }
    const runStart = usedTo - frameBytes;
    const frames = measureRun(bytes, runStart, filledTo);
    if (frames < 2) return false;
    const run = bytes.subarray(runStart, runStart + ends[frames - 1]!);
    this.#texts = textsOf(run, frames);
    this.#given = 0;
    if (this.#texts.length > 0) return true;
    this.#aloneUntil = position - frameBytes + run.length;
    return false;
  }
}

// Where the frames of the run that is being decoded end. Decoding is synchronous, so all connections share it.
const ends = new Int32Array(SMALL_RUN_BYTES / HEADER_BYTES);

/** Finds the small frames that begin at `start` and can be decoded together: sets their `ends` and returns how many. */
function measureRun(bytes: Uint8Array, start: number, bytesEnd: number): number {
  let frames = 0;
  let maxRunBytes = Infinity;
  for (let at = start; bytesEnd - at >= HEADER_BYTES;) {
    const frameBytes = HEADER_BYTES + readHeader(bytes, at);
    at += frameBytes;
    maxRunBytes = Math.min(maxRunBytes, Math.max(frameBytes * MAX_SHARERS, SMALL_RUN_BYTES));
    if (frameBytes > MAX_FRAME_BYTES || at > bytesEnd || at - start > maxRunBytes) break;
    ends[frames++] = at - start;
  }
  return frames;
}

/** Decodes a run of frames into their texts; none, if that does not pay. */
function textsOf(run: Uint8Array, frames: number): readonly string[] {
  const text = decodeRun(run, frames);
  // Bad bytes give U+FFFD, and never a character together with the header behind them.
  if (text.includes(REPLACEMENT)) return NO_TEXTS;
  const isAscii = text.length === run.length;
  if (!isAscii && run.length > frames * MAX_COUNTED_BYTES) return NO_TEXTS;
  const texts: string[] = [];
  for (let i = 0, unit = 0, at = 0; i < frames; at = ends[i++]!) {
    unit += HEADER_BYTES;
    const body = at + HEADER_BYTES;
    const units = isAscii ? ends[i]! - body : unitsIn(run, body, ends[i]!);
    texts.push(text.slice(unit, unit += units));
  }
  return texts;
}

/** Decodes frames as if they were text. Of a length of 128 or more, the last byte of the header is not ASCII: mask it. */
function decodeRun(run: Uint8Array, frames: number): string {
  for (let i = 0, at = HEADER_BYTES - 1; i < frames; at = ends[i++]! + HEADER_BYTES - 1) {
    run[at]! &= 0x7f;
  }
  const text = utf8.decode(run);
  for (let i = 0, at = 0; i < frames; at = ends[i++]!) {
    run[at + HEADER_BYTES - 1] = ends[i]! - at - HEADER_BYTES;
  }
  return text;
}

/**
 * Decodes one body.
 *
 * @throws {Deno.errors.InvalidData} If it is not UTF-8.
 */
export function decodeBody(body: Uint8Array): string {
  const text = utf8.decode(body);
  // The strict decoder is slow. It accepts a U+FFFD that was sent, and not one that stands for bad bytes.
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
