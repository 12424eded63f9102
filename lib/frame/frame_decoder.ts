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
import { FrameTooLargeError, HEADER_BYTES, readHeader } from "./frame.ts";
import { MessageDecoder } from "./message_decoder.ts";
import { TextDecoding } from "./text_decoding.ts";

/** Splits a stream of bytes into the messages of its frames. */
export class FrameDecoder extends MessageDecoder {
  /** Made for the first text. */
  #texts: TextDecoding | undefined;
  /** Where in the stream the last frame is whose header was accepted. A new limit does not apply to it. */
  #acceptedAt = -1;

  /**
   * Takes the next message, or `undefined` when no whole frame is buffered.
   *
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next frame is still readable.
   * @throws {FrameTooLargeError} If the header announces more than the limit. No later frame can be read then.
   */
  override next(): string | undefined {
    if (!this.#takeFrame()) return undefined;
    this.#texts ??= new TextDecoding();
    return this.#texts.decode(this, this.bodyBytes);
  }

  /**
   * Takes the next message as bytes of their own, or `undefined` when no whole frame is buffered.
   *
   * @throws {FrameTooLargeError} If the header announces more than the limit. No later frame can be read then.
   */
  override nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#takeFrame()) return undefined;
    return this.bytes.slice(this.usedTo - this.bodyBytes, this.usedTo);
  }

  /** Steps over the next frame if all of it is buffered: its body then ends where the unused bytes start. */
  #takeFrame(): boolean {
    if (this.bufferedBytes < HEADER_BYTES) return false;
    const bodyBytes = readHeader(this.bytes, this.usedTo);
    if (bodyBytes > this.maxBodyBytes && this.position !== this.#acceptedAt) {
      this.broken = true;
      throw new FrameTooLargeError("receive", bodyBytes, this.maxBodyBytes);
    }
    if (this.bufferedBytes < HEADER_BYTES + bodyBytes) {
      this.#acceptedAt = this.position;
      return false;
    }
    this.use(HEADER_BYTES + bodyBytes);
    this.bodyBytes = bodyBytes;
    return true;
  }

  /** Forgets what is buffered and gives the memory back. */
  override discard(): void {
    super.discard();
    this.#texts?.forget();
  }
}
