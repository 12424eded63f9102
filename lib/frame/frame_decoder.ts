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
import { giveBuffer, SMALL_BUFFER_BYTES, takeBuffer } from "./buffer_pool.ts";
import { decodeBody, decodeRun, NO_RUN, type Run, suitsRuns } from "./message_text.ts";

const NOTHING = new Uint8Array(0);

// The space for a chunk grows and shrinks in these steps: 256 B, 4 KiB, 64 KiB.
const SPACE_STEP = 16;
const MAX_SPACE_BYTES = 64 * 1024;

/**
 * Cuts the bytes of a stream into messages, whatever the chunks they arrive in.
 *
 * Read a chunk into `space()`, tell `filled(n)`, then take messages until `next()` has no more. Memory grows with the
 * bytes received, never with the bytes a header announces.
 */
export class FrameDecoder {
  #buffer: Uint8Array<ArrayBuffer> = NOTHING;
  #start = 0;
  #end = 0;
  #spaceBytes = SMALL_BUFFER_BYTES;
  /** The last chunk was small. One by itself may be the end of a large one: only the second makes the space smaller. */
  #wasSmall = false;
  /** Somebody holds views of the buffer: its bytes must never change. */
  #lent = false;
  /** The frames at `#start` that were looked at together. */
  #run: Run = NO_RUN;
  /** How many of the run's texts were handed out. */
  #taken = 0;
  /** Whether the last body that was decoded by itself is of the kind that runs are for: mostly the next are, too. */
  #expectsRuns = true;
  /** The header of the frame at `#start` was accepted, and the rest is on its way. */
  #underWay = false;
  #maxBodyBytes: number;
  /** The length in bytes of the body that `next` or `nextBytes` handed out last. */
  bodyBytes = 0;

  /** Makes an empty decoder, at a frame's beginning. */
  constructor(options: FrameOptions = {}) {
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** The longest body that is accepted, in bytes. A new limit holds from the next frame on, not for one under way. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
    this.#forgetRun();
  }

  /** How many bytes are buffered and not handed out yet, headers included. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Room for the next chunk, at least one byte. It belongs to the caller until `filled`. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.bufferedBytes === 0 && !this.#lent) this.#rewind();
    // A frame larger than the buffer doubles it each time it is full: memory follows the bytes received.
    const wanted = Math.max(this.#spaceBytes, this.bufferedBytes * 2);
    const oversized = this.#buffer.length >= wanted * SPACE_STEP;
    const room = this.#buffer.length - this.#end;
    if (oversized || room < this.#spaceBytes / 2) this.#move(wanted, oversized);
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  /**
   * Tells that the first `bytes` bytes of the last `space()` hold a chunk now.
   *
   * @throws {RangeError} If the space has not so many.
   */
  filled(bytes: number): void {
    const spaceBytes = this.#buffer.length - this.#end;
    if (!(bytes >= 0 && bytes <= spaceBytes)) {
      throw new RangeError(`Cannot take in ${bytes} bytes: the space has ${spaceBytes}`);
    }
    this.#end += bytes;
    const isSmall = bytes < this.#spaceBytes / SPACE_STEP;
    if (bytes === spaceBytes) {
      this.#spaceBytes = Math.min(this.#spaceBytes * SPACE_STEP, MAX_SPACE_BYTES);
    } else if (isSmall && this.#wasSmall) {
      this.#spaceBytes = Math.max(this.#spaceBytes / SPACE_STEP, SMALL_BUFFER_BYTES);
    }
    this.#wasSmall = isSmall;
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
    const inRun = this.#taken < this.#run.texts.length || this.#decodeRun();
    return inRun ? this.#nextOfRun() : this.#nextAlone();
  }

  /**
   * Takes the next message as bytes, or `undefined` when no whole frame is buffered.
   *
   * The bytes are the caller's to keep: a view that nothing overwrites. It shares its `buffer` with its neighbours, so
   * `slice` it before that `buffer` is transferred, or if few bytes are to be kept for long.
   *
   * @throws {FrameTooLargeError} If the header announces more than the limit. The stream is out of step then.
   */
  nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    const body = this.#nextBody();
    if (!body) return undefined;
    if (this.#taken < this.#run.texts.length) this.#taken++;
    this.#lent = true;
    return body;
  }

  /** Moves buffered bytes to `target`, frames or not, and returns how many. */
  read(target: Uint8Array): number {
    const bytes = Math.min(target.length, this.bufferedBytes);
    target.set(this.#buffer.subarray(this.#start, this.#start + bytes));
    this.#start += bytes;
    this.#forgetRun();
    this.#underWay = false;
    return bytes;
  }

  /**
   * Tells that the stream has ended.
   *
   * @throws {Deno.errors.UnexpectedEof} If it ended inside a frame.
   */
  end(): void {
    const bytes = this.bufferedBytes;
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
    this.#rewind();
    this.#underWay = false;
  }

  #nextOfRun(): string {
    const text = this.#run.texts[this.#taken++]!;
    this.bodyBytes = readHeader(this.#buffer, this.#start);
    this.#start += HEADER_BYTES + this.bodyBytes;
    this.#underWay = false;
    // All of a run's texts are slices of one: to hold the run is to hold all of it.
    if (this.#taken === this.#run.texts.length) this.#forgetRun();
    return text;
  }

  #nextAlone(): string | undefined {
    const body = this.#nextBody();
    if (!body) return undefined;
    const text = decodeBody(body);
    this.#expectsRuns = suitsRuns(text, this.bodyBytes);
    return text;
  }

  /** Looks at the next frames together, and tells whether their texts are there now. */
  #decodeRun(): boolean {
    if (this.#start < this.#run.end || !this.#expectsRuns) return false;
    this.#taken = 0;
    this.#run = decodeRun(this.#buffer, this.#start, this.#end, this.#maxBodyBytes);
    return this.#run.texts.length > 0;
  }

  /** Nothing is buffered: the next chunk may begin at the front. */
  #rewind(): void {
    this.#start = this.#end = 0;
    this.#forgetRun();
  }

  #forgetRun(): void {
    this.#run = NO_RUN;
    this.#taken = 0;
  }

  /** Steps over the next whole frame and gives a view of its body, or `undefined` when there is none. */
  #nextBody(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.bufferedBytes;
    if (bytes < HEADER_BYTES) return undefined;
    const bodyBytes = readHeader(this.#buffer, this.#start);
    if (bodyBytes > this.#maxBodyBytes && !this.#underWay) {
      throw new FrameTooLargeError("receive", bodyBytes, this.#maxBodyBytes);
    }
    this.#underWay = bytes - HEADER_BYTES < bodyBytes;
    if (this.#underWay) return undefined;
    const start = this.#start + HEADER_BYTES;
    this.#start = start + bodyBytes;
    const body = this.#buffer.subarray(start, this.#start);
    this.bodyBytes = body.length;
    return body;
  }

  /** Brings what is kept to the front of a buffer of at least `bytes` bytes. */
  #move(bytes: number, oversized: boolean): void {
    const kept = this.bufferedBytes;
    if (this.#lent || oversized || this.#buffer.length < bytes) {
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
}
