/**
 * Bytes → messages, whatever divides the one into the other.
 *
 * @module
 */
import { checkMaxBodyBytes, type FrameOptions } from "./frame.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * Splits a stream of bytes into messages, whatever the chunks they arrive in.
 *
 * Read a chunk into `space()`, call `filled(n)`, then take messages until `next()` has no more. Memory grows with the
 * bytes received, never with the bytes a header announces.
 */
export abstract class MessageDecoder extends ReadBuffer {
  /** The length in bytes of the body that `next` or `nextBytes` gave last. */
  bodyBytes = 0;
  /** Whether the peer has said, in the stream itself, that no more messages will come. */
  finished = false;
  /** Whether the stream is out of step: no later message can be read. */
  broken = false;
  #maxBodyBytes: number;

  /** Makes an empty decoder, at the beginning of a message. */
  constructor(options: FrameOptions = {}) {
    super();
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  }

  /** The longest body that is accepted, in bytes. A new limit applies from the next message on, not to one under way. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /**
   * Takes the next message, or `undefined` when no whole one is buffered.
   *
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8.
   * @throws {FrameTooLargeError} If more is announced than the limit. The stream is `broken` then.
   */
  abstract next(): string | undefined;

  /**
   * Takes the next message as bytes of their own, or `undefined` when no whole one is buffered.
   *
   * @throws {FrameTooLargeError} If more is announced than the limit. The stream is `broken` then.
   */
  abstract nextBytes(): Uint8Array<ArrayBuffer> | undefined;

  /** Moves buffered bytes to `target`, messages or not, and returns how many. */
  read(target: Uint8Array): number {
    const bytes = Math.min(target.length, this.bufferedBytes);
    target.set(this.bytes.subarray(this.usedTo, this.usedTo + bytes));
    this.use(bytes);
    return bytes;
  }

  /**
   * Ends the stream.
   *
   * @throws {Deno.errors.UnexpectedEof} If it ended inside a message.
   */
  end(): void {
    const bytes = this.bufferedBytes;
    this.discard();
    if (bytes === 0 || this.finished) return;
    throw new Deno.errors.UnexpectedEof(
      `Cannot receive a message: the stream ended ${bytes} bytes into a frame`,
    );
  }

  /** Forgets the messages that are buffered, for a stream that is read to its end only. */
  skip(): void {
    this.discard();
  }
}
