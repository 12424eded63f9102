/**
 * Messages → bytes: the write buffer of one connection.
 *
 * @module
 */
import {
  checkMaxBodyBytes,
  checkWellFormed,
  type FrameOptions,
  FrameTooLargeError,
  HEADER_BYTES,
  HEADER_SPACE,
  writeHeader,
} from "./frame.ts";
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";
import { NO_FRAMES } from "./shared_frames.ts";
import { endOfUnits } from "./utf8.ts";

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
// The most that UTF-8 takes for each UTF-16 unit of a text.
const MAX_CHARACTER_BYTES = 3;

// So many characters wait at most to be encoded together; longer texts gain nothing from waiting.
const MAX_WAITING = 16 * 1024;
// From this mean length on, to count characters costs more than one call a text.
const MAX_COUNTED_LENGTH = 100;
// So many shared frames are held one by one at most: each costs more than its bytes.
const MAX_SHARED = 512;

/**
 * Queues messages as frames in one growing buffer, to be written in as few system calls as possible.
 *
 * A `TextEncoder` call costs more than the few bytes it encodes. So texts wait, and are encoded all in one call, with
 * room for the headers between them. If all of them are ASCII there is a byte for every character, and the headers go
 * where they belong. If they are not, but short, their characters are counted; otherwise each is encoded by itself.
 *
 * A message that is refused leaves the queue as it was.
 */
export class FrameEncoder {
  #buffer: Uint8Array<ArrayBuffer> = NOTHING;
  #end = 0;
  /** Holds what `take` handed over. */
  #taken: Uint8Array<ArrayBuffer> = NOTHING;
  /** Texts that wait to be encoded, and how many characters they are, with a header each. */
  #waiting: string[] = [];
  #waitingLength = 0;
  /** What was queued by `pushFrame` alone: either this is empty or all of the above. */
  #shared = NO_FRAMES;
  /** Whether texts may be ASCII: the last were, and a sender mostly goes on in its alphabet. */
  #expectsAscii = true;
  #maxBodyBytes: number;

  /** Makes an encoder with nothing queued. */
  constructor(options: FrameOptions = {}) {
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** The longest body that is accepted from now on, in bytes. */
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /** How many bytes are queued, headers included; where texts that are not ASCII still wait, up to three times that. */
  get queuedBytes(): number {
    return this.#end + this.#waitingLength + this.#shared.length;
  }

  /**
   * Queues one text.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  push(text: string): void {
    checkWellFormed(text);
    this.#copyShared();
    if (text.length * MAX_CHARACTER_BYTES > this.#maxBodyBytes) return this.#pushChecked(text);
    this.#waiting.push(text);
    this.#waitingLength += HEADER_BYTES + text.length;
    if (this.#waitingLength >= MAX_WAITING) this.#gather();
  }

  /** Queues one text like `push`, and returns the length of its body in bytes. */
  pushCounted(text: string): number {
    this.#gather();
    const before = this.#end;
    this.push(text);
    this.#gather();
    return this.#end - before - HEADER_BYTES;
  }

  /**
   * Queues a copy of `body` as one frame.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  pushBytes(body: Uint8Array): void {
    if (body.length > this.#maxBodyBytes) throw this.#tooLarge(body.length);
    this.#gather();
    this.#reserve(HEADER_BYTES + body.length);
    writeHeader(this.#buffer, this.#end, body.length);
    this.#buffer.set(body, this.#end + HEADER_BYTES);
    this.#end += HEADER_BYTES + body.length;
  }

  /** Queues a copy of bytes that are frames already, or no frames at all. */
  pushRaw(bytes: Uint8Array): void {
    this.#gather();
    this.#copy(bytes);
  }

  /**
   * Queues one whole frame, whose bytes must not change any more.
   *
   * It is not copied while nothing else waits, so that a broadcast costs one batch of bytes for everybody who keeps up.
   */
  pushFrame(frame: Uint8Array): void {
    if (this.#end + this.#waitingLength > 0) return this.pushRaw(frame);
    this.#shared = this.#shared.append(frame);
    if (this.#shared.count >= MAX_SHARED) this.#copyShared();
  }

  /**
   * Hands over everything queued, which nobody may change. It is good until `release`, which comes before the next
   * `take`.
   */
  take(): Uint8Array {
    if (this.#shared !== NO_FRAMES) return this.#takeShared();
    this.#gather();
    this.#taken = this.#buffer;
    this.#buffer = NOTHING;
    const queued = this.#taken.subarray(0, this.#end);
    this.#end = 0;
    return queued;
  }

  /** Takes back what `take` handed over, for use by any connection. */
  release(): void {
    giveBuffer(this.#taken);
    this.#taken = NOTHING;
  }

  /** Forgets everything queued. */
  clear(): void {
    giveBuffer(this.#buffer);
    this.#buffer = NOTHING;
    this.#end = this.#waitingLength = 0;
    this.#waiting = [];
    this.#shared = NO_FRAMES;
  }

  #takeShared(): Uint8Array {
    const { bytes } = this.#shared;
    this.#shared = NO_FRAMES;
    return bytes;
  }

  #copyShared(): void {
    if (this.#shared !== NO_FRAMES) this.#copy(this.#takeShared());
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Brings what waits, in whatever form, into the buffer. */
  #gather(): void {
    this.#copyShared();
    if (this.#waitingLength === 0) return;
    const texts = this.#waiting;
    const areShort = this.#waitingLength <= texts.length * (HEADER_BYTES + MAX_COUNTED_LENGTH);
    this.#waiting = [];
    this.#waitingLength = 0;
    const together = texts.length > 1 && (areShort || this.#expectsAscii);
    if (together && this.#encodeTogether(texts, areShort)) return;
    for (const text of texts) this.#encode(text);
  }

  /** Encodes texts in one call, and tells whether that was done: those that are ASCII or short. */
  #encodeTogether(texts: string[], areShort: boolean): boolean {
    const joined = HEADER_SPACE + texts.join(HEADER_SPACE);
    const { read, written } = this.#put(joined, 0, areShort);
    this.#expectsAscii = written === joined.length;
    if (read < joined.length) return false;
    for (const { length } of texts) {
      const body = this.#end + HEADER_BYTES;
      const end = this.#expectsAscii ? body + length : endOfUnits(this.#buffer, body, length);
      writeHeader(this.#buffer, this.#end, end - body);
      this.#end = end;
    }
    return true;
  }

  #encode(text: string): void {
    const { written } = this.#put(text, HEADER_BYTES, true);
    this.#expectsAscii = written === text.length;
    writeHeader(this.#buffer, this.#end, written);
    this.#end += HEADER_BYTES + written;
  }

  /** Encodes a text `offset` bytes behind what is queued: as far as there is room for ASCII, or `wholly`. */
  #put(text: string, offset: number, wholly: boolean): TextEncoderEncodeIntoResult {
    const bytesEach = wholly && !this.#expectsAscii ? MAX_CHARACTER_BYTES : 1;
    this.#reserve(offset + text.length * bytesEach);
    const put = encoder.encodeInto(text, this.#rest(offset));
    if (put.read === text.length || !wholly) return put;
    // Not ASCII after all: now make room for the most that UTF-8 can take.
    this.#reserve(offset + text.length * MAX_CHARACTER_BYTES);
    return encoder.encodeInto(text, this.#rest(offset));
  }

  #rest(offset: number): Uint8Array<ArrayBuffer> {
    const at = this.#end + offset;
    return at === 0 ? this.#buffer : this.#buffer.subarray(at);
  }

  /** For a text near the limit: how long it is shows when it is encoded, and only then it is queued. */
  #pushChecked(text: string): void {
    if (text.length > this.#maxBodyBytes) throw this.#tooLarge(text.length);
    this.#gather();
    const before = this.#end;
    this.#encode(text);
    const bodyBytes = this.#end - before - HEADER_BYTES;
    if (bodyBytes <= this.#maxBodyBytes) return;
    this.#end = before;
    // The room it took would stay with a connection that may be silent from now on.
    if (before === 0) this.clear();
    throw this.#tooLarge(bodyBytes);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = takeBuffer(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#end));
    giveBuffer(this.#buffer);
    this.#buffer = grown;
  }

  #tooLarge(bodyBytes: number): FrameTooLargeError {
    return new FrameTooLargeError("send", bodyBytes, this.#maxBodyBytes);
  }
}
