/**
 * Messages → bytes, whatever divides the one from the other.
 *
 * @module
 */
import {
  checkBytes,
  checkMaxBodyBytes,
  type FrameOptions,
  FrameTooLargeError,
  type MessageObserver,
} from "./frame.ts";
import type { SharedFrames } from "./shared_frames.ts";
import { WriteBuffer } from "./write_buffer.ts";

const NO_LENGTHS: readonly number[] = [];

/** Options for a {@linkcode MessageEncoder}. */
export interface MessageEncoderOptions extends FrameOptions, Pick<MessageObserver, "onSent"> {
  /** @internal Takes the calls in place of these options: so many connections need no closures of their own. */
  observer?: MessageObserver;
}

/**
 * The write buffer of one connection: queues messages, to be written in as few system calls as possible.
 *
 * A message that is refused leaves it as it was.
 */
export abstract class MessageEncoder extends WriteBuffer {
  #maxBodyBytes: number;
  readonly #observer: MessageObserver;
  /** The lengths of the bodies in the buffer, and of those taken last, if there is an `onSent`. */
  #lengths: number[] | undefined;
  #takenLengths = NO_LENGTHS;

  /** Makes an encoder with nothing queued. */
  constructor(options: MessageEncoderOptions = {}) {
    super();
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
    this.#observer = options.observer ?? options;
    if (this.#observer.onSent) this.#lengths = [];
  }

  /** The longest body that is accepted from now on, in bytes. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /** How many bytes are queued. */
  abstract get queuedBytes(): number;

  /**
   * Queues one text.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  abstract push(text: string): void;

  /**
   * Queues a copy of `body` as one message.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  abstract pushBytes(body: Uint8Array): void;

  /** Queues the message of one whole frame, as `encodeFrame` makes it, whose bytes must not change any more. */
  abstract pushFrame(frame: Uint8Array): void;

  /**
   * Queues a copy of bytes as they are.
   *
   * @throws {TypeError} If they are not a `Uint8Array`: so do the methods above.
   */
  pushRaw(bytes: Uint8Array): void {
    checkBytes(bytes);
    this.add(bytes);
  }

  /**
   * Queues the announcement that no more messages will come, and returns whether there is one: otherwise the half-close
   * of the connection announces it.
   */
  finish(): boolean {
    return false;
  }

  /** Hands over everything queued. It is good until `release`, which comes before the next `take`. */
  override take(): Uint8Array {
    if (this.#lengths) {
      this.#takenLengths = this.#lengths;
      this.#lengths = [];
    }
    return super.take();
  }

  /** Calls `onSent` for each message that `take` has handed over. */
  reportSent(): void {
    const lengths = this.#takenLengths;
    this.#takenLengths = NO_LENGTHS;
    for (const bodyBytes of lengths) this.#observer.onSent?.(bodyBytes);
  }

  /** Forgets everything queued. */
  override clear(): void {
    super.clear();
    if (this.#lengths) this.#lengths = [];
  }

  /** Remembers that a body of so many bytes is in the buffer. */
  protected added(bodyBytes: number): void {
    this.#lengths?.push(bodyBytes);
  }

  /** Remembers that frames are in the buffer which were shared. */
  protected addedShared(frames: SharedFrames): void {
    // As arguments of one call, a hundred thousand lengths would not fit on the stack.
    for (const bodyBytes of this.#lengths ? frames.bodyLengths : NO_LENGTHS) this.added(bodyBytes);
  }

  /** Remembers that shared frames are taken, which were not in the buffer. */
  protected tookShared(frames: SharedFrames): void {
    if (this.#lengths) this.#takenLengths = frames.bodyLengths;
  }

  /** The error of a body that is too long. */
  protected tooLarge(bodyBytes: number): FrameTooLargeError {
    return new FrameTooLargeError("send", bodyBytes, this.#maxBodyBytes);
  }
}
