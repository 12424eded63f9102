/**
 * Framed TCP for Deno.
 *
 * @module
 */
export { FramedConn } from "./lib/conn/framed_conn.ts";
export { ByteConn } from "./lib/conn/byte_conn.ts";
export type { FramedConnOptions } from "./lib/conn/conn_options.ts";
export type { FramedConnectOptions } from "./lib/conn/framed_conn.ts";
export type { MessageConn, ReceiveOptions } from "./lib/conn/message_conn.ts";
export type { DialOptions } from "./lib/conn/dial.ts";
export { DEFAULT_MAX_BODY_BYTES, encodeFrame, FrameTooLargeError } from "./lib/frame/frame.ts";
export type { FrameOptions } from "./lib/frame/frame.ts";
export { ConversationEndedError, GOODBYE_PREFIX, goodbyeText } from "./lib/server/end_reason.ts";
export type { EndReason, GoodbyeReason } from "./lib/server/end_reason.ts";
export { bytes, InvalidMessageError } from "./lib/codec/codec.ts";
export type { BytesCodec, Codec, TextCodec } from "./lib/codec/codec.ts";
export { json } from "./lib/codec/json.ts";
export type { Validate } from "./lib/codec/json.ts";
export { TypedConn } from "./lib/codec/typed_conn.ts";
export type { BytesConn, TextConn } from "./lib/codec/typed_conn.ts";
export { RequestClient } from "./lib/rpc/request_client.ts";
export type { RequestClientOptions, RequestOptions } from "./lib/rpc/request_client.ts";
export { serveRequests } from "./lib/rpc/serve_requests.ts";
export type { RequestHandler, ServeRequestsOptions } from "./lib/rpc/serve_requests.ts";
export type { Failure, Result } from "./lib/rpc/envelope.ts";
export { serve, Server } from "./lib/server/server.ts";
export type {
  ConversationOptions,
  DrainOptions,
  ServeOptions,
} from "./lib/server/serve_options.ts";
export type { AdmissionOptions } from "./lib/server/admission.ts";
export type { Handler } from "./lib/server/conversation.ts";
export type { Listener } from "./lib/server/accept_loop.ts";
export type { ListenOptions } from "./lib/server/listen.ts";
export type { ConnInfo, HandlerInfo, ServerEvent } from "./lib/server/server_events.ts";
export type { MessageReaderOptions } from "./lib/conn/message_reader.ts";
export type { WriteQueueOptions } from "./lib/conn/write_queue.ts";
export { Outbox } from "./lib/chat/outbox.ts";
export type { FrameSender, OutboxOptions } from "./lib/chat/outbox.ts";
export { Reconnector } from "./lib/conn/reconnect.ts";
export type {
  BackoffOptions,
  LostConnection,
  ReconnectorOptions,
  ReconnectWait,
} from "./lib/conn/reconnect.ts";
export { Room } from "./lib/chat/room.ts";
export type { BroadcastOptions, Member, RoomOptions } from "./lib/chat/room.ts";
export { TokenBucket, TokenBuckets } from "./lib/base/token_bucket.ts";
export type { TokenBucketOptions } from "./lib/base/token_bucket.ts";
