/**
 * Framed TCP for Deno.
 *
 * @module
 */
export { FramedConn } from "./lib/framed_conn.ts";
export type { FramedConnectOptions, FramedConnOptions, ReceiveOptions } from "./lib/framed_conn.ts";
export {
  DEFAULT_MAX_BODY_BYTES,
  encodeFrame,
  FrameTooLargeError,
  HEADER_BYTES,
} from "./lib/frame.ts";
export type { FrameOptions } from "./lib/frame.ts";
export { FrameDecoder } from "./lib/frame_decoder.ts";
export { FrameEncoder } from "./lib/frame_encoder.ts";
