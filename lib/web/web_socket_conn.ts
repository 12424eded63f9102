/**
 * One connection that carries whole messages over a WebSocket: the server's side (RFC 6455), without extensions.
 *
 * @module
 */
import { abortable } from "../base/within.ts";
import { ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { FramedConnOptions, Transport } from "../conn/conn_options.ts";
import type { MessageConn, ReceiveOptions, SendOptions } from "../conn/message_conn.ts";
import type { GoodbyeReason } from "../server/end_reason.ts";
import { type ControlEvents, WebSocketDecoder } from "./web_socket_decoder.ts";
import { WebSocketEncoder } from "./web_socket_encoder.ts";
import { CLOSE, type CloseCode, OPCODE, wholeFrame } from "./web_socket_frame.ts";

// With this many bytes queued, only the last of the pings that come is answered (section 5.5.3).
const MAX_PONGS_BYTES = 4096;

const CODES: Record<GoodbyeReason, keyof typeof CLOSE> = {
  full: "tryAgainLater",
  crowded: "tryAgainLater",
  paused: "goingAway",
  shutdown: "goingAway",
  idle: "policyViolation",
  kicked: "policyViolation",
  protocol: "protocolError",
  failed: "internalError",
};

/**
 * Sends and receives text messages over one WebSocket, as `FramedConn` does over TCP: with the same order, limits,
 * backpressure, timeouts and errors. What differs:
 *
 * - Nothing can be read after a message that is not UTF-8: the peer gets close code 1007. It gets 1009 for a message over
 *   the limit, all fragments counted, 1003 for a binary message, and 1002 for what breaks the protocol. Each later `send`
 *   rejects with the error of that `receive`.
 * - `closeWrite` sends the close frame and leaves the connection open. A peer that sends one has finished; it is answered
 *   by `closeWrite` or `close`.
 */
export class WebSocketConn extends ByteConn implements MessageConn, ControlEvents {
  readonly #encoder: WebSocketEncoder;
  /** The pong that waits until what is queued is written. */
  #pong: Uint8Array | undefined;

  /** Wraps a connection whose handshake is done and owns it; `unread` is what was read after the handshake. */
  constructor(conn: Transport, options: FramedConnOptions = {}, unread = new Uint8Array(0)) {
    const decoder = new WebSocketDecoder(options);
    const encoder = new WebSocketEncoder(options);
    super(conn, options, { decoder, encoder });
    this.#encoder = encoder;
    encoder.closeCode = CLOSE.normal;
    decoder.push(unread);
    decoder.events = this;
  }

  /** The longest body that is sent or accepted, in bytes. A new limit applies from the next message on. */
  get maxBodyBytes(): number {
    return internalsOf(this).reader.frames.maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    const { reader, queue } = internalsOf(this);
    reader.frames.maxBodyBytes = queue.maxBodyBytes = maxBodyBytes;
  }

  /** Says why this side will close, which the code tells the peer. Without this, it is 1000. */
  closeFor(reason: GoodbyeReason): void {
    this.#encoder.closeCode = CLOSE[CODES[reason]];
  }

  /** Receives the next text, or `null` when the peer has finished. */
  receive(options: ReceiveOptions = {}): Promise<string | null> {
    return internalsOf(this).reader.receive(options.signal);
  }

  /** Sends one text. */
  send(text: string, options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => internalsOf(this).queue.send(text));
  }

  /** Sends the body of one frame, as `encodeFrame` makes it. */
  sendFrame(frame: Uint8Array, options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => internalsOf(this).queue.sendFrame(frame));
  }

  /** Rejects: there are no bytes between messages. */
  override read(_p: Uint8Array): Promise<number | null> {
    return Promise.reject(new TypeError("Cannot read bytes from a WebSocket: receive messages"));
  }

  /** Rejects: there are no bytes between messages. */
  override write(_p: Uint8Array): Promise<number> {
    return Promise.reject(new TypeError("Cannot write bytes to a WebSocket: send messages"));
  }

  /** For the decoder. */
  onPing(payload: Uint8Array<ArrayBuffer>): void {
    const pong = wholeFrame(OPCODE.pong, payload);
    const { queue } = internalsOf(this);
    if (queue.queuedBytes < MAX_PONGS_BYTES) return void queue.write(pong);
    if (this.#pong === undefined) queue.flush().then(() => this.#sendPong(), () => {});
    this.#pong = pong;
  }

  /** For the decoder. The peer's code is sent back. */
  onClose(code: number | undefined): void {
    this.#encoder.closeCode = code;
  }

  /** For the decoder. */
  onViolation(code: CloseCode, error: Error): void {
    this.#encoder.closeCode = code;
    const { queue } = internalsOf(this);
    queue.finish();
    queue.flush().catch(() => {/* The peer is gone, and is not told. */});
    queue.refuse({ error });
  }

  #sendPong(): void {
    const pong = this.#pong!;
    this.#pong = undefined;
    internalsOf(this).queue.write(pong);
  }
}
