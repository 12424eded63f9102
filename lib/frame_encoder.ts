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
  writeHeader,
} from "./frame.ts";
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

// Up to this many characters a loop beats the fixed cost of a TextEncoder call.
const SHORT_TEXT = 24;

/**
 * Queues messages as frames in one growing buffer, to be written in as few system calls as possible.
 *
 * A message that is refused leaves the queue as it was.
 */
export class FrameEncoder {
  #buffer: Uint8Array<ArrayBuffer> = NOTHING;
  #end = 0;
  #maxBodyBytes: number;

  /** Makes an encoder with nothing queued. */
  constructor(options: FrameOptions = {}) {
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** The longest body that is accepted from now on, in bytes. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /** How many bytes are queued, headers included. */
  get queuedBytes(): number {
    return this.#end;
  }

  /**
   * Queues one text and returns the length of its body in bytes.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  push(text: string): number {
    if (text.length > this.#maxBodyBytes) throw this.#tooLarge(text.length);
    this.#reserve(HEADER_BYTES + text.length);
    const bodyBytes = text.length <= SHORT_TEXT ? this.#putShort(text) : this.#putText(text);
    if (bodyBytes > this.#maxBodyBytes) throw this.#tooLarge(bodyBytes);
    writeHeader(this.#buffer, this.#end, bodyBytes);
    this.#end += HEADER_BYTES + bodyBytes;
    return bodyBytes;
  }

  /**
   * Queues a copy of `body` as one frame and returns its length in bytes.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  pushBytes(body: Uint8Array): number {
    if (body.length > this.#maxBodyBytes) throw this.#tooLarge(body.length);
    this.#reserve(HEADER_BYTES + body.length);
    writeHeader(this.#buffer, this.#end, body.length);
    this.#buffer.set(body, this.#end + HEADER_BYTES);
    this.#end += HEADER_BYTES + body.length;
    return body.length;
  }

  /** Queues a copy of bytes that are frames already, or no frames at all. */
  pushRaw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Hands over everything queued. The caller owns the bytes until it gives them back with `release`. */
  take(): Uint8Array<ArrayBuffer> {
    const queued = this.#buffer.subarray(0, this.#end);
    this.#buffer = NOTHING;
    this.#end = 0;
    return queued;
  }

  /** Takes back what `take` handed over, for use by any connection. */
  static release(taken: Uint8Array<ArrayBuffer>): void {
    giveBuffer(new Uint8Array(taken.buffer));
  }

  /** Forgets everything queued. */
  clear(): void {
    giveBuffer(this.#buffer);
    this.#buffer = NOTHING;
    this.#end = 0;
  }

  #putShort(text: string): number {
    let at = this.#end + HEADER_BYTES;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return this.#putText(text);
      this.#buffer[at++] = code;
    }
    return text.length;
  }

  #putText(text: string): number {
    checkWellFormed(text);
    const at = this.#end + HEADER_BYTES;
    const put = encoder.encodeInto(text, this.#buffer.subarray(at));
    if (put.read === text.length) return put.written;
    // Not ASCII after all: now make room for the most that UTF-8 can take.
    this.#reserve(HEADER_BYTES + text.length * 3);
    return encoder.encodeInto(text, this.#buffer.subarray(at)).written;
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
