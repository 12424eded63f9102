/**
 * Messages → frames of a WebSocket server (RFC 6455), which are not masked.
 *
 * @module
 */
import {
  checkMaxBodyBytes,
  checkWellFormed,
  FrameTooLargeError,
  HEADER_BYTES,
  type MessageObserver,
} from "../frame/frame.ts";
import type { FrameEncoderOptions } from "../frame/frame_encoder.ts";
import type { MessageEncoder } from "../frame/framing.ts";
import { WriteBuffer } from "../frame/write_buffer.ts";
import { headBytes, OPCODE, writeHead } from "./web_socket_frame.ts";

const utf8 = new TextEncoder();

/** Queues text messages as frames in one growing buffer. A message that is refused leaves it as it was. */
export class WebSocketEncoder extends WriteBuffer implements MessageEncoder {
  /** The close code of the last frame; `undefined` sends none. */
  closeCode: number | undefined = undefined;
  readonly #observer: MessageObserver;
  #maxBodyBytes: number;
  /** The lengths of the bodies that are queued, if there is an `onSent`. */
  #lengths: number[] = [];
  #finished = false;

  /** Makes an encoder with nothing queued. */
  constructor(options: FrameEncoderOptions = {}) {
    super();
    this.#maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
    this.#observer = options.observer ?? options;
  }

  /** The longest body that is accepted from now on, in bytes. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#maxBodyBytes = checkMaxBodyBytes(maxBodyBytes);
  }

  /** How many bytes are queued, heads included. */
  get queuedBytes(): number {
    return this.end;
  }

  /**
   * Queues one text.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  push(text: string): void {
    checkWellFormed(text);
    // Every UTF-16 unit takes at least one byte, so this refuses before anything is allocated.
    this.#checkLength(text.length);
    this.pushBytes(utf8.encode(text));
  }

  /**
   * Queues a copy of `body`, which must be UTF-8.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  pushBytes(body: Uint8Array): void {
    this.#checkLength(body.length);
    this.#pushMessage(body);
  }

  /** Queues a copy of the body of one frame of this library. */
  pushFrame(frame: Uint8Array): void {
    this.#pushMessage(frame.subarray(HEADER_BYTES));
  }

  /** Queues a copy of bytes as they are. */
  pushRaw(bytes: Uint8Array): void {
    this.add(bytes);
  }

  /** Queues a whole frame. */
  #pushFrame(opcode: number, payload: Uint8Array): void {
    this.reserve(headBytes(payload.length) + payload.length);
    writeHead(this.bytes, this.end, opcode, payload.length);
    this.end += headBytes(payload.length);
    this.add(payload);
  }

  /** Queues the last frame, once. */
  finish(): boolean {
    if (!this.#finished) this.#pushFrame(OPCODE.close, closePayload(this.closeCode));
    return this.#finished = true;
  }

  /** Calls `onSent` for each message that `take` has handed over. */
  reportSent(): void {
    const lengths = this.#lengths;
    if (lengths.length > 0) this.#lengths = [];
    for (const bodyBytes of lengths) this.#observer.onSent?.(bodyBytes);
  }

  /** Forgets everything queued. */
  override clear(): void {
    super.clear();
    this.#lengths = [];
  }

  #pushMessage(body: Uint8Array): void {
    this.#pushFrame(OPCODE.text, body);
    if (this.#observer.onSent) this.#lengths.push(body.length);
  }

  #checkLength(bodyBytes: number): void {
    if (bodyBytes <= this.#maxBodyBytes) return;
    throw new FrameTooLargeError("send", bodyBytes, this.#maxBodyBytes);
  }
}

function closePayload(code: number | undefined): Uint8Array {
  return code === undefined ? new Uint8Array(0) : new Uint8Array([code >> 8, code & 0xff]);
}
