/**
 * Messages → frames of a WebSocket server (RFC 6455), which are not masked.
 *
 * @module
 */
import { checkBytes, checkText, HEADER_BYTES } from "../frame/frame.ts";
import { MessageEncoder } from "../frame/message_encoder.ts";
import { headBytes, OPCODE, writeHead } from "./web_socket_frame.ts";

const utf8 = new TextEncoder();

/** Queues text messages as frames in one growing buffer. A message that is refused leaves it as it was. */
export class WebSocketEncoder extends MessageEncoder {
  /** The close code of the last frame; `undefined` sends none. */
  closeCode: number | undefined = undefined;
  #finished = false;

  /** How many bytes are queued, heads included. */
  override get queuedBytes(): number {
    return this.end;
  }

  /**
   * Queues one text.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  override push(text: string): void {
    checkText(text);
    // Every UTF-16 unit takes at least one byte, so this refuses before anything is allocated.
    this.#checkLength(text.length);
    this.pushBytes(utf8.encode(text));
  }

  /**
   * Queues a copy of `body`, which must be UTF-8.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  override pushBytes(body: Uint8Array): void {
    checkBytes(body);
    this.#checkLength(body.length);
    this.#pushMessage(body);
  }

  /** Queues a copy of the body of one frame of this library. */
  override pushFrame(frame: Uint8Array): void {
    checkBytes(frame);
    this.#pushMessage(frame.subarray(HEADER_BYTES));
  }

  /** Queues a whole frame. */
  #pushFrame(opcode: number, payload: Uint8Array): void {
    this.reserve(headBytes(payload.length) + payload.length);
    writeHead(this.bytes, this.end, opcode, payload.length);
    this.end += headBytes(payload.length);
    this.add(payload);
  }

  /** Queues the last frame, once. */
  override finish(): boolean {
    if (!this.#finished) this.#pushFrame(OPCODE.close, closePayload(this.closeCode));
    return this.#finished = true;
  }

  #pushMessage(body: Uint8Array): void {
    this.#pushFrame(OPCODE.text, body);
    this.added(body.length);
  }

  #checkLength(bodyBytes: number): void {
    if (bodyBytes > this.maxBodyBytes) throw this.tooLarge(bodyBytes);
  }
}

function closePayload(code: number | undefined): Uint8Array {
  return code === undefined ? new Uint8Array(0) : new Uint8Array([code >> 8, code & 0xff]);
}
