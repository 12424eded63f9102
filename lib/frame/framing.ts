/**
 * How messages stand on the wire: the two directions of one connection.
 *
 * @module
 */
import { FrameDecoder } from "./frame_decoder.ts";
import { FrameEncoder, type FrameEncoderOptions } from "./frame_encoder.ts";
import type { MessageDecoder } from "./message_decoder.ts";

/** Messages → bytes: the write buffer of one connection. A message that is refused leaves the buffer as it was. */
export interface MessageEncoder {
  /** The longest body that is accepted from now on, in bytes. */
  maxBodyBytes: number;
  /** How many bytes are queued. */
  readonly queuedBytes: number;
  /** Queues one text. */
  push(text: string): void;
  /** Queues a copy of `body` as one message. */
  pushBytes(body: Uint8Array): void;
  /** Queues the message of one whole frame, as `encodeFrame` makes it, whose bytes must not change any more. */
  pushFrame(frame: Uint8Array): void;
  /** Queues a copy of bytes as they are. */
  pushRaw(bytes: Uint8Array): void;
  /**
   * Queues the announcement that no more messages will come, and returns whether there is one: otherwise the half-close
   * of the connection announces it.
   */
  finish(): boolean;
  /** Hands over everything queued. It is good until `release`, which comes before the next `take`. */
  take(): Uint8Array;
  /** Takes back what `take` handed over. */
  release(): void;
  /** Calls `onSent` for each message that `take` has handed over. */
  reportSent(): void;
  /** Forgets everything queued. */
  clear(): void;
}

/** Both directions of one connection. */
export interface Framing {
  /** What the peer sends. */
  readonly decoder: MessageDecoder;
  /** What the peer is sent. */
  readonly encoder: MessageEncoder;
}

/** The framing of this library: a length, then so many bytes. */
export function lengthFraming(options: FrameEncoderOptions): Framing {
  return { decoder: new FrameDecoder(options), encoder: new FrameEncoder(options) };
}
