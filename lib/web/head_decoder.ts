/**
 * Bytes → the heads of HTTP/1.1 requests (RFC 9112).
 *
 * @module
 */
import { MessageDecoder } from "../frame/message_decoder.ts";
import { HttpError } from "./request.ts";

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;

const ascii = new TextDecoder();

/**
 * Splits a stream of bytes into the heads of requests without a body. A head is given without the empty line at its end.
 *
 * What no head may have is refused as soon as it is there: a control character, a byte that is not ASCII, and a line that
 * ends in another way than by CR LF.
 */
export class HeadDecoder extends MessageDecoder {
  /** How many of the buffered bytes were looked at, and how many of them are in the last line. */
  #checked = 0;
  #lineBytes = 0;

  /** Takes the next head. */
  override next(): string | undefined {
    for (const end = this.bufferedBytes; this.#checked < end;) {
      if (this.#checked >= this.maxBodyBytes) {
        throw this.#refused(431, `The head of a request has at most ${this.maxBodyBytes} bytes`);
      }
      const byte = this.bytes[this.usedTo + this.#checked++]!;
      const endsLine = byte === LF && this.#isAfterCr;
      if (!endsLine && (this.#isAfterCr || !isText(byte))) {
        throw this.#refused(400, "The lines of a request are ASCII and end with CR LF");
      }
      if (endsLine && this.#lineBytes === 1) return this.#take();
      this.#lineBytes = endsLine ? 0 : this.#lineBytes + 1;
    }
    return undefined;
  }

  /** Takes the next head as bytes. */
  override nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    const head = this.next();
    return head === undefined ? undefined : new TextEncoder().encode(head);
  }

  /** Forgets what is buffered and gives the memory back. */
  override discard(): void {
    super.discard();
    this.#checked = this.#lineBytes = 0;
  }

  /** Whether the byte before the one that was looked at last is a CR of the same line. */
  get #isAfterCr(): boolean {
    return this.#lineBytes > 0 && this.bytes[this.usedTo + this.#checked - 2] === CR;
  }

  #take(): string {
    const head = this.bytes.subarray(this.usedTo, this.usedTo + this.#checked - "\r\n\r\n".length);
    this.use(this.#checked);
    this.bodyBytes = head.length;
    this.#checked = this.#lineBytes = 0;
    return ascii.decode(head);
  }

  #refused(status: number, message: string): HttpError {
    this.broken = true;
    this.discard();
    return new HttpError(status, message);
  }
}

function isText(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f || byte === TAB || byte === CR;
}
