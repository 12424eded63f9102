/**
 * Bytes → messages: the read buffer of one connection.
 *
 * One chunk, what a single read gave, can hold less than a frame, one frame, or many and a piece of the next:
 *
 * ```text
 *  chunk 1            chunk 2                  chunk 3
 *  [00 00 00 05 'h']  ['e' 'l' 'l' 'o' 00 00]  [00 02 'h' 'i' 00 00 00 00]
 *  less than a frame  the rest, and a piece    the rest, and an empty message
 * ```
 *
 * @module
 */
import {
  checkMaxBodyBytes,
  type FrameOptions,
  FrameTooLargeError,
  HEADER_BYTES,
  readHeader,
} from "./frame.ts";
import { giveBuffer, LARGE_BUFFER_BYTES, SMALL_BUFFER_BYTES, takeBuffer } from "./buffer_pool.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const REPLACEMENT = "\ufffd";
const NOTHING = new Uint8Array(0);

// A run is decoded in one call: from this body length on, one call a body costs no more.
const MAX_RUN_BODY_BYTES = 600;
// Each message of a run is a slice that keeps the run's whole text alive, so a run is short.
const MAX_RUN_BYTES = 16 * 1024;

/**
 * Cuts the bytes of a stream into messages, whatever the chunks they arrive in.
 *
 * Read a chunk into `space()`, tell `filled(n)`, then take messages until `next()` has no more. Memory grows with the
 * bytes received, never with the bytes a header announces, and an empty decoder can give its buffer back.
 */
export class FrameDecoder {
  #buffer: Uint8Array<ArrayBuffer> = NOTHING;
  #start = 0;
  #end = 0;
  #spaceBytes = SMALL_BUFFER_BYTES;
  /** Somebody holds views of the buffer: its bytes must never change. */
  #lent = false;
  /** The decoded text of the bytes from `#runStart` to `#runEnd`: one character a byte, headers included. */
  #run = "";
  #runStart = 0;
  #runEnd = 0;
  /** Up to here the messages are decoded one by one, as a run of them was not ASCII. */
  #singlyUntil = 0;
  readonly #maxBodyBytes: number;
  /** The length in bytes of the body that `next` or `nextBytes` handed out last. */
  bodyBytes = 0;

  /** Makes an empty decoder, at a frame's beginning. */
  constructor(options: FrameOptions = {}) {
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** How many bytes are buffered and not handed out yet, headers included. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Room for the next chunk, at least one byte. It belongs to the caller until `filled`. */
  space(): Uint8Array<ArrayBuffer> {
    const kept = this.#end - this.#start;
    // A frame larger than the buffer doubles it each time it is full: memory follows the bytes received.
    const wanted = Math.max(this.#spaceBytes, kept * 2);
    const tooLarge = this.#buffer.length > 8 * wanted;
    if (tooLarge || this.#buffer.length - this.#end < wanted / 2) this.#move(wanted, tooLarge);
    return this.#buffer.subarray(this.#end);
  }

  /** Tells that the first `bytes` bytes of the last `space()` hold a chunk now. */
  filled(bytes: number): void {
    const spaceBytes = this.#buffer.length - this.#end;
    this.#end += bytes;
    if (bytes === spaceBytes) {
      this.#spaceBytes = Math.min(this.#spaceBytes * 8, LARGE_BUFFER_BYTES);
    } else if (bytes < this.#spaceBytes >> 4) {
      this.#spaceBytes = Math.max(this.#spaceBytes >> 3, SMALL_BUFFER_BYTES);
    }
  }

  /** Takes in a copy of `chunk`: for bytes that were not read into `space()`. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.space().length);
      this.#buffer.set(part, this.#end);
      this.filled(part.length);
      at += part.length;
    }
  }

  /**
   * Takes the next message, or `undefined` when no whole frame is buffered.
   *
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next frame is still readable.
   * @throws {FrameTooLargeError} If the header announces more than the limit. The stream is out of step then.
   */
  next(): string | undefined {
    if (this.#start >= this.#runEnd && !this.#decodeRun()) {
      const body = this.#nextBody();
      return body < 0 ? undefined : decodeBody(this.#buffer.subarray(body, this.#start));
    }
    this.bodyBytes = readHeader(this.#buffer, this.#start);
    const body = this.#start + HEADER_BYTES - this.#runStart;
    this.#start += HEADER_BYTES + this.bodyBytes;
    return this.#run.slice(body, body + this.bodyBytes);
  }

  /**
   * Takes the next message as bytes, or `undefined` when no whole frame is buffered.
   *
   * The bytes are the caller's to keep: a view that nothing overwrites. It shares its `buffer` with its neighbours.
   *
   * @throws {FrameTooLargeError} If the header announces more than the limit. The stream is out of step then.
   */
  nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    const body = this.#nextBody();
    if (body < 0) return undefined;
    this.#lent = true;
    return this.#buffer.subarray(body, this.#start);
  }

  /** Moves buffered bytes to `target`, frames or not, and returns how many. */
  read(target: Uint8Array): number {
    const bytes = Math.min(target.length, this.#end - this.#start);
    target.set(this.#buffer.subarray(this.#start, this.#start + bytes));
    this.#start += bytes;
    this.#forgetRun();
    return bytes;
  }

  /**
   * Tells that the stream has ended.
   *
   * @throws {Deno.errors.UnexpectedEof} If it ended inside a frame.
   */
  end(): void {
    const bytes = this.#end - this.#start;
    this.discard();
    if (bytes === 0) return;
    throw new Deno.errors.UnexpectedEof(
      `Cannot receive a message: the stream ended ${bytes} bytes into a frame`,
    );
  }

  /** Forgets what is buffered and gives the memory back. */
  discard(): void {
    if (!this.#lent) giveBuffer(this.#buffer);
    this.#buffer = NOTHING;
    this.#lent = false;
    this.#start = this.#end = 0;
    this.#forgetRun();
  }

  /** Steps over the next whole frame and returns where its body begins, or −1 when there is none. */
  #nextBody(): number {
    const bytes = this.#end - this.#start;
    if (bytes < HEADER_BYTES) return -1;
    const bodyBytes = readHeader(this.#buffer, this.#start);
    if (bodyBytes > this.#maxBodyBytes) {
      throw new FrameTooLargeError("receive", bodyBytes, this.#maxBodyBytes);
    }
    if (bytes - HEADER_BYTES < bodyBytes) return -1;
    const body = this.#start + HEADER_BYTES;
    this.#start = body + bodyBytes;
    this.bodyBytes = bodyBytes;
    return body;
  }

  /**
   * Decodes the run of small frames at hand in one call: tells whether there is one.
   *
   * That is sound only if all of it is ASCII, headers included, for then there is a character for every byte.
   */
  #decodeRun(): boolean {
    if (this.#start < this.#singlyUntil) return false;
    const runStart = this.#start;
    const runEnd = this.#findRunEnd();
    if (runEnd === runStart) return false;
    const text = utf8.decode(this.#buffer.subarray(runStart, runEnd));
    restoreHeaders(this.#buffer);
    if (text.length === runEnd - runStart && !text.includes(REPLACEMENT)) {
      this.#run = text;
      this.#runStart = runStart;
      this.#runEnd = runEnd;
      return true;
    }
    this.#singlyUntil = runEnd;
    return false;
  }

  /** Finds where the run of small whole frames ends (a run has two or more), and makes its headers ASCII. */
  #findRunEnd(): number {
    const buffer = this.#buffer;
    const limit = Math.min(this.#end, this.#start + MAX_RUN_BYTES);
    const maxBodyBytes = Math.min(this.#maxBodyBytes, MAX_RUN_BODY_BYTES);
    let frames = 0;
    let at = this.#start;
    while (limit - at >= HEADER_BYTES) {
      const bodyBytes = readHeader(buffer, at);
      const next = at + HEADER_BYTES + bodyBytes;
      if (bodyBytes > maxBodyBytes || next > limit) break;
      if (bodyBytes & 0x80) clearHighBit(buffer, at + 3);
      at = next;
      frames++;
    }
    if (frames >= 2) return at;
    restoreHeaders(buffer);
    return this.#start;
  }

  /** Brings what is kept to the front of a buffer of at least `bytes` bytes. */
  #move(bytes: number, tooLarge: boolean): void {
    const kept = this.#end - this.#start;
    if (this.#lent || tooLarge || this.#buffer.length < bytes) {
      const moved = takeBuffer(bytes);
      moved.set(this.#buffer.subarray(this.#start, this.#end));
      if (!this.#lent) giveBuffer(this.#buffer);
      this.#buffer = moved;
      this.#lent = false;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = kept;
    this.#forgetRun();
  }

  #forgetRun(): void {
    this.#run = "";
    this.#runStart = this.#runEnd = this.#singlyUntil = 0;
  }
}

// A length of 128 or more has a high bit in the header's last byte (and in no other below 600). It is cleared
// while a run is decoded, and these are the places. Decoding is synchronous, so all connections share the list.
const cleared = new Int32Array(MAX_RUN_BYTES / 128);
let clearedCount = 0;

function clearHighBit(bytes: Uint8Array, at: number): void {
  bytes[at]! &= 0x7f;
  cleared[clearedCount++] = at;
}

function restoreHeaders(bytes: Uint8Array): void {
  while (clearedCount > 0) bytes[cleared[--clearedCount]!]! |= 0x80;
}

function decodeBody(body: Uint8Array): string {
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
