/**
 * Framed TCP for Deno.
 *
 * @module
 */
export { FramedConn } from "./lib/framed_conn.ts";
export type { FramedConnectOptions, FramedConnOptions, ReceiveOptions } from "./lib/framed_conn.ts";
export type { DialOptions } from "./lib/dial.ts";
export {
  DEFAULT_MAX_BODY_BYTES,
  encodeFrame,
  FrameTooLargeError,
  HEADER_BYTES,
} from "./lib/frame.ts";
export type { FrameOptions } from "./lib/frame.ts";
export { FrameDecoder } from "./lib/frame_decoder.ts";
export { FrameEncoder } from "./lib/frame_encoder.ts";
export { GOODBYE_PREFIX, goodbyeText } from "./lib/goodbye.ts";
export type { GoodbyeReason } from "./lib/goodbye.ts";
export { serve, Server } from "./lib/server.ts";
export type { ServeOptions } from "./lib/server.ts";
export type { DrainOptions } from "./lib/conversations.ts";
export type { AdmissionOptions } from "./lib/admission.ts";
export type { ConnInfo, ConversationOptions, Handler } from "./lib/conversation.ts";
export type { ListenOptions } from "./lib/listen.ts";
export type { EndReason, ServerEvent } from "./lib/server_events.ts";
export type { MessageReaderOptions } from "./lib/message_reader.ts";
export type { WriteQueueOptions } from "./lib/write_queue.ts";
export { escapeControl } from "./lib/escape.ts";
export { Outbox } from "./lib/outbox.ts";
export type { FrameSender, OutboxOptions } from "./lib/outbox.ts";
export { backoff, MAX_RETRY_AFTER_MS, Reconnector } from "./lib/reconnect.ts";
export type {
  BackoffOptions,
  LostConnection,
  ReconnectorOptions,
  ReconnectWait,
} from "./lib/reconnect.ts";
export { Room } from "./lib/room.ts";
export type { BroadcastOptions, Member, RoomOptions } from "./lib/room.ts";
export { TokenBucket, TokenBuckets } from "./lib/token_bucket.ts";
export type { TokenBucketOptions } from "./lib/token_bucket.ts";
export { FaultProxy, startFaultProxy } from "./lib/fault_proxy.ts";
export type {
  FaultCounts,
  FaultProxyEvent,
  FaultProxyOptions,
  FaultSettings,
  FaultSummary,
} from "./lib/fault_proxy.ts";
export type { FaultDirection, FaultEndReason } from "./lib/fault_connection.ts";
export type { AppliedFault, FaultName } from "./lib/fault_stream.ts";
export type { CutBy, Faults } from "./lib/faults.ts";
