/**
 * How messages stand on the wire: the two directions of one connection.
 *
 * @module
 */
import { FrameDecoder } from "./frame_decoder.ts";
import { FrameEncoder } from "./frame_encoder.ts";
import type { MessageDecoder } from "./message_decoder.ts";
import type { MessageEncoder, MessageEncoderOptions } from "./message_encoder.ts";

/** Both directions of one connection. */
export interface Framing {
  /** What the peer sends. */
  readonly decoder: MessageDecoder;
  /** What the peer is sent. */
  readonly encoder: MessageEncoder;
}

/** The framing of this library: a length, then so many bytes. */
export function lengthFraming(options: MessageEncoderOptions): Framing {
  return { decoder: new FrameDecoder(options), encoder: new FrameEncoder(options) };
}
