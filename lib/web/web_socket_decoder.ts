/**
 * Frames of a WebSocket client → messages (RFC 6455).
 *
 * @module
 */
import { TokenBucket } from "../base/token_bucket.ts";
import { FrameTooLargeError } from "../frame/frame.ts";
import { MessageDecoder } from "../frame/message_decoder.ts";
import { decodeBody } from "../frame/text_decoding.ts";
import {
  CLOSE,
  type CloseCode,
  FIN,
  isCloseCode,
  MAX_CONTROL_BYTES,
  OPCODE,
} from "./web_socket_frame.ts";

/** What a {@linkcode WebSocketDecoder} calls while messages are taken. */
export interface ControlEvents {
  /** The peer asks for a pong with this payload, which is a copy. */
  onPing(payload: Uint8Array<ArrayBuffer>): void;
  /** The peer has sent its last frame; `code` is `undefined` if there was none in it. */
  onClose(code: number | undefined): void;
  /** The stream cannot be read on, and `error` is about to be thrown. */
  onViolation(code: CloseCode, error: Error): void;
}

/** One whole frame in the buffer. */
interface WholeFrame {
  readonly isLast: boolean;
  readonly opcode: number;
  /** Where its payload begins in the buffer, still masked, with the mask before it. */
  readonly at: number;
  readonly payloadBytes: number;
}

const MASK_BYTES = 4;
// A frame that carries as little as a ping, and ends no message, costs about as much as a message. A handler decides how
// fast it receives messages; these frames have a limit of their own: how many at once, and how many a second.
const SMALL_FRAMES = { burst: 1000, perSecond: 100 };
const KNOWN_OPCODES: readonly number[] = Object.values(OPCODE);

/**
 * Splits a stream of bytes into the text messages of its frames.
 *
 * The fragments of a message are joined where they are: the payloads stand at the front of the buffer, then comes what
 * the heads of their frames have left (the gap), then what is not taken yet.
 *
 * ```text
 *  usedTo                                                        filledTo
 *  | payloads of the message so far | gap | frames not taken yet |
 * ```
 */
export class WebSocketDecoder extends MessageDecoder {
  /** Receives the frames that are no messages. */
  events: ControlEvents | undefined;
  /** A fragment that is not the last of its message was taken. */
  #isContinued = false;
  /** The limit of the message whose first head was accepted. A new limit does not apply to it. */
  #limit: number | undefined;
  #messageBytes = 0;
  #gapBytes = 0;
  /** Made when the first small frame comes. */
  #smallFrames: TokenBucket | undefined;

  /** Takes the next message. */
  override next(): string | undefined {
    const body = this.#takeMessage();
    if (body === undefined) return undefined;
    try {
      return decodeBody(body);
    } catch (error) {
      throw this.#violation(CLOSE.invalidText, error as Error);
    }
  }

  /** Takes the next message as bytes. */
  override nextBytes(): Uint8Array<ArrayBuffer> | undefined {
    return this.#takeMessage()?.slice();
  }

  /** Takes all that is there, for the sake of the close. */
  override skip(): void {
    try {
      while (this.#takeMessage() !== undefined);
    } catch {
      // The stream is broken now, and all that follows is dropped.
    }
  }

  /** Forgets what is buffered and gives the memory back. */
  override discard(): void {
    super.discard();
    this.#messageBytes = this.#gapBytes = 0;
  }

  /** Takes frames up to the last of a message, and gives its body, a view that is good until the next chunk. */
  #takeMessage(): Uint8Array<ArrayBuffer> | undefined {
    while (!this.broken && !this.finished) {
      const frame = this.#wholeFrame();
      if (frame === undefined) return void this.#closeGap();
      this.#checkRate(frame);
      const payload = this.#unmask(frame);
      if (frame.opcode > OPCODE.binary) {
        this.#takeControl(frame.opcode, payload);
      } else {
        this.#messageBytes += payload.length;
        this.#gapBytes -= payload.length;
        this.#isContinued = !frame.isLast;
        if (frame.isLast) return this.#giveMessage();
      }
    }
    this.discard();
    return undefined;
  }

  /** The next frame, if all of it is there. What is wrong with its head is found as soon as that is there. */
  #wholeFrame(): WholeFrame | undefined {
    const start = this.usedTo + this.#messageBytes + this.#gapBytes;
    const bytes = this.filledTo - start;
    if (bytes < 2) return undefined;
    const [first, second] = [this.bytes[start]!, this.bytes[start + 1]!];
    this.#checkHead(first, second);
    const length = second & 0x7f;
    const lengthBytes = length < 126 ? 0 : length === 126 ? 2 : 8;
    if (bytes < 2 + lengthBytes) return undefined;
    const payloadBytes = lengthBytes === 0 ? length : this.#longLength(start + 2, lengthBytes);
    const opcode = first & 0x0f;
    if (opcode <= OPCODE.binary) this.#checkSum(payloadBytes);
    const at = start + 2 + lengthBytes + MASK_BYTES;
    if (at + payloadBytes > this.filledTo) return undefined;
    return { isLast: (first & FIN) !== 0, opcode, at, payloadBytes };
  }

  #checkHead(first: number, second: number): void {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw this.#protocolError("a reserved bit is set");
    if (!KNOWN_OPCODES.includes(opcode)) throw this.#protocolError(`opcode ${opcode} is reserved`);
    if ((second & 0x80) === 0) throw this.#protocolError("a client must mask its frames");
    if (opcode > OPCODE.binary) {
      if ((first & FIN) === 0) throw this.#protocolError("a control frame is in fragments");
      if ((second & 0x7f) > MAX_CONTROL_BYTES) throw this.#protocolError("a control frame is long");
    } else if ((opcode === OPCODE.continuation) !== this.#isContinued) {
      throw this.#protocolError(
        this.#isContinued ? "a message begins inside another" : "a fragment continues no message",
      );
    } else if (opcode === OPCODE.binary) {
      const error = new Deno.errors.InvalidData("Cannot receive a binary message: send text");
      throw this.#violation(CLOSE.unsupportedData, error);
    }
  }

  /** Reads a length of 2 or 8 bytes, which must need as many. */
  #longLength(at: number, lengthBytes: number): number {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + at, lengthBytes);
    const length = lengthBytes === 2 ? view.getUint16(0) : Number(view.getBigInt64(0));
    if (length < 0) throw this.#protocolError("the first bit of a length is set");
    if (length < (lengthBytes === 2 ? 126 : 2 ** 16)) {
      throw this.#protocolError("a length takes more bytes than it needs");
    }
    return length;
  }

  /** The fragments of a message count together. */
  #checkSum(payloadBytes: number): void {
    this.#limit ??= this.maxBodyBytes;
    const bodyBytes = this.#messageBytes + payloadBytes;
    if (bodyBytes <= this.#limit) return;
    throw this.#violation(
      CLOSE.tooLarge,
      new FrameTooLargeError("receive", bodyBytes, this.#limit),
    );
  }

  /** Control frames and small fragments are taken as fast as they come: too many of them would hold up all others. */
  #checkRate({ isLast, opcode, payloadBytes }: WholeFrame): void {
    const endsMessage = isLast && opcode <= OPCODE.binary || opcode === OPCODE.close;
    if (endsMessage || payloadBytes > MAX_CONTROL_BYTES) return;
    this.#smallFrames ??= new TokenBucket(SMALL_FRAMES);
    if (this.#smallFrames.take() === 0) return;
    throw this.#violation(
      CLOSE.policyViolation,
      new Deno.errors.InvalidData("Cannot receive so many pings and small fragments"),
    );
  }

  /** Unmasks a payload to where the message so far ends, and gives it; the bytes of its head make the gap longer. */
  #unmask({ at, payloadBytes }: WholeFrame): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    const to = this.usedTo + this.#messageBytes;
    const mask = bytes.slice(at - MASK_BYTES, at);
    for (let i = 0; i < payloadBytes; i++) bytes[to + i] = bytes[at + i]! ^ mask[i & 3]!;
    this.#gapBytes = at + payloadBytes - to;
    return bytes.subarray(to, to + payloadBytes);
  }

  #giveMessage(): Uint8Array<ArrayBuffer> {
    const body = this.bytes.subarray(this.usedTo, this.usedTo + this.#messageBytes);
    this.bodyBytes = body.length;
    this.use(this.#messageBytes + this.#gapBytes);
    this.#messageBytes = this.#gapBytes = 0;
    this.#limit = undefined;
    return body;
  }

  /** Moves what is not taken yet to the payloads, so that many small fragments take no more memory than one. */
  #closeGap(): void {
    const end = this.usedTo + this.#messageBytes;
    if (this.#messageBytes === 0) {
      this.use(this.#gapBytes);
    } else if (this.#gapBytes > 0) {
      this.bytes.copyWithin(end, end + this.#gapBytes, this.filledTo);
      this.filledTo -= this.#gapBytes;
    }
    this.#gapBytes = 0;
  }

  #takeControl(opcode: number, payload: Uint8Array<ArrayBuffer>): void {
    if (opcode === OPCODE.ping) this.events?.onPing(payload.slice());
    if (opcode !== OPCODE.close) return;
    if (payload.length === 1) throw this.#protocolError("a close code has two bytes");
    const code = payload.length === 0 ? undefined : payload[0]! << 8 | payload[1]!;
    if (code !== undefined && !isCloseCode(code)) {
      throw this.#protocolError(`${code} is not a close code`);
    }
    try {
      decodeBody(payload.subarray(2));
    } catch (error) {
      throw this.#violation(CLOSE.invalidText, error as Error);
    }
    this.finished = true;
    this.events?.onClose(code);
  }

  #protocolError(what: string): Error {
    const error = new Deno.errors.InvalidData(`Cannot receive a WebSocket frame: ${what}`);
    return this.#violation(CLOSE.protocolError, error);
  }

  /** Gives up the stream because of `error`, which it returns. */
  #violation(code: CloseCode, error: Error): Error {
    this.broken = true;
    this.discard();
    this.events?.onViolation(code, error);
    return error;
  }
}
