/**
 * Framed TCP: servers and clients that exchange whole messages, in the clear or over TLS.
 *
 * TCP carries a stream of bytes, without boundaries between messages. So each message travels in a frame: four bytes
 * with the length of the body, and the body, a text in UTF-8 or bytes.
 *
 * | to | use |
 * | --- | --- |
 * | serve clients | {@linkcode serve} with a {@linkcode Handler}: one function, called for each connection |
 * | connect to a server | {@linkcode FramedConn.connect}; {@linkcode Reconnector} connects again and again |
 * | send and receive values | {@linkcode TypedConn} with {@linkcode json}, {@linkcode bytes} or your own {@linkcode Codec} |
 * | ask, and answer | {@linkcode RequestClient} and {@linkcode serveRequests} |
 * | deliver to many | {@linkcode Room}, {@linkcode Outbox} and {@linkcode encodeFrame} |
 * | limit a rate | {@linkcode TokenBucket}, {@linkcode TokenBuckets} |
 * | test all of that | the module `@framed/tcp/testing` |
 *
 * @example A server and a client
 * ```ts
 * import { FramedConn, serve } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (conn) => {
 *   for await (const text of conn) await conn.send(text.toUpperCase());
 * }, { port: 0 });
 *
 * using conn = await FramedConn.connect({ port: server.addr.port });
 * assertEquals(await conn.request("hello"), "HELLO");
 * ```
 *
 * @module
 */

// Connections
export { FramedConn } from "./lib/conn/framed_conn.ts";
export type { FramedConnectOptions } from "./lib/conn/framed_conn.ts";
export type { ByteConn } from "./lib/conn/byte_conn.ts";
export type { FramedConnOptions, Transport } from "./lib/conn/conn_options.ts";
export type { DialOptions, DialTlsOptions } from "./lib/conn/dial.ts";
export type { MessageConn, ReceiveOptions, SendOptions } from "./lib/conn/message_conn.ts";
export { Reconnector } from "./lib/conn/reconnect.ts";
export type {
  BackoffOptions,
  LostConnection,
  ReconnectorOptions,
  ReconnectWait,
} from "./lib/conn/reconnect.ts";

// Frames
export { DEFAULT_MAX_BODY_BYTES, encodeFrame, FrameTooLargeError } from "./lib/frame/frame.ts";
export type { FrameOptions } from "./lib/frame/frame.ts";

// Servers
export { serve } from "./lib/server/server.ts";
export type { Server } from "./lib/server/server.ts";
export type { Handler } from "./lib/server/conversation.ts";
export type {
  ConversationOptions,
  DrainOptions,
  ServeOptions,
} from "./lib/server/serve_options.ts";
export type { AdmissionOptions } from "./lib/server/admission.ts";
export type { Listener } from "./lib/server/accept_loop.ts";
export type { ListenOptions } from "./lib/server/listen.ts";
export type {
  ClientCertificate,
  ConnInfo,
  HandlerInfo,
  ServerEvent,
} from "./lib/server/server_events.ts";
export { ConversationEndedError, GOODBYE_PREFIX, goodbyeText } from "./lib/server/end_reason.ts";
export type { EndReason, GoodbyeReason } from "./lib/server/end_reason.ts";

// Messages with a type
export { TypedConn } from "./lib/codec/typed_conn.ts";
export type { BytesConn, TextConn } from "./lib/codec/typed_conn.ts";
export { json } from "./lib/codec/json.ts";
export type { Validate } from "./lib/codec/json.ts";
export { bytes, InvalidMessageError } from "./lib/codec/codec.ts";
export type { BytesCodec, Codec, TextCodec } from "./lib/codec/codec.ts";

// Requests and responses
export { RequestClient } from "./lib/rpc/request_client.ts";
export type { RequestClientOptions, RequestOptions } from "./lib/rpc/request_client.ts";
export { serveRequests } from "./lib/rpc/serve_requests.ts";
export type {
  RequestHandler,
  RequestInfo,
  ServeRequestsOptions,
} from "./lib/rpc/serve_requests.ts";
export type { Failure, Result } from "./lib/rpc/envelope.ts";

// Broadcasts and limits
export { Room } from "./lib/chat/room.ts";
export type { BroadcastOptions, Member, RoomOptions } from "./lib/chat/room.ts";
export { Outbox } from "./lib/chat/outbox.ts";
export type { FrameSender, OutboxOptions } from "./lib/chat/outbox.ts";
export { TokenBucket, TokenBuckets } from "./lib/base/token_bucket.ts";
export type { TokenBucketOptions } from "./lib/base/token_bucket.ts";
