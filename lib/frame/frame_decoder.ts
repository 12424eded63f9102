/**
 * Bytes → messages.
 *
 * One chunk, what a single read gave, can hold less than a frame, one frame, or many and a part of the next:
 *
 * ```text
 *  chunk 1            chunk 2                  chunk 3
 *  [00 00 00 05 'h']  ['e' 'l' 'l' 'o' 00 00]  [00 02 'h' 'i' 00 00 00 00]
 *  less than a frame  the rest, and a part     the rest, and an empty message
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
import { ReadBuffer } from "./read_buffer.ts";
import { TextDecoding } from "./text_decoding.ts";

/**
 * Splits a stream of bytes into messages, whatever the chunks they arrive in.
 *
 * Read a chunk into `space()`, call `filled(n)`, then take messages until `next()` has no more. Memory grows with the
 * bytes received, never with the bytes a header announces.
 */
export class FrameDecoder extends ReadBuffer {
  readonly #texts = new TextDecoding();
  #maxBodyBytes: number;
  /** Where in the stream the last frame is whose header was accepted. A new limit does not apply to it. */
  #acceptedAt = -1;
  /** The length in bytes of the body that `next` or `nextBytes` gave last. */
  bodyBytes = 0;

  /** Makes an empty decoder, at the beginning of a frame. */
  constructor(options: FrameOptions = {}) {
    super();
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** The longest body that is accepted, in bytes. A new limit applies from the next frame on, not to one under way. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /**
   * Takes the next message, or `undefined` when no whole frame is buffered.
   *
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next frame is still readable.
   * @throws {FrameTooLargeError} If the header announces more than the limit. No later frame can be read then.
   */
  next(): string | undefined {
    return this.#takeFrame() ? this.#texts.decode(this, this.bodyBytes) : undefined;
  }

  /**
   * Takes the next message as bytes of their own, or `undefined` when no whole frame is buffered.
   *
   * @throws {FrameTooLargeError} If the header announces more than the limit. No later frame can be read then.
   */
  nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#takeFrame()) return undefined;
    return this.bytes.slice(this.usedTo - this.bodyBytes, this.usedTo);
  }

  /** Steps over the next frame if all of it is buffered: its body then ends where the unused bytes start. */
  #takeFrame(): boolean {
    if (this.bufferedBytes < HEADER_BYTES) return false;
    const bodyBytes = readHeader(this.bytes, this.usedTo);
    if (bodyBytes > this.#maxBodyBytes && this.position !== this.#acceptedAt) {
      throw new FrameTooLargeError("receive", bodyBytes, this.#maxBodyBytes);
    }
    if (this.bufferedBytes < HEADER_BYTES + bodyBytes) {
      this.#acceptedAt = this.position;
      return false;
    }
    this.use(HEADER_BYTES + bodyBytes);
    this.bodyBytes = bodyBytes;
    return true;
  }

  /** Moves buffered bytes to `target`, frames or not, and returns how many. */
  read(target: Uint8Array): number {
    const bytes = Math.min(target.length, this.bufferedBytes);
    target.set(this.bytes.subarray(this.usedTo, this.usedTo + bytes));
    this.use(bytes);
    return bytes;
  }

  /**
   * Ends the stream.
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
  override discard(): void {
    super.discard();
    this.#texts.forget();
  }
}
