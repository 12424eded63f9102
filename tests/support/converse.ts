/**
 * One conversation over a real connection, without a server around it.
 *
 * @module
 */
import { Conversation, type Handler } from "../../lib/server/conversation.ts";
import { type ConversationEnd, goodbyeText } from "../../lib/server/end_reason.ts";
import type { ConversationOptions } from "../../lib/server/serve_options.ts";
import { connInfoOf } from "../../lib/server/server_events.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { Events } from "./events.ts";
import { tcpPair } from "./loopback.ts";

/** Both ends of a conversation that has begun. `peer` is the `client` that frames; close either. */
export interface Conversing {
  client: Deno.TcpConn;
  peer: FramedConn;
  conversation: Conversation;
  events: Events;
  /** Settles when the conversation is over. */
  ended: Promise<ConversationEnd>;
}

/** Runs a handler on one end of a connection. Its goodbyes are sentences. */
export async function converse(
  handler: Handler,
  options: ConversationOptions = {},
): Promise<Conversing> {
  const events = new Events();
  const [client, accepted] = await tcpPair();
  const all = { onEvent: events.take, goodbye: goodbyeText, ...options };
  const { conversation, ended } = startConversation(accepted, handler, all);
  return { client, peer: new FramedConn(client), conversation, ended, events };
}

/** Runs a handler on a connection just accepted. */
export function startConversation(
  accepted: Deno.Conn,
  handler: Handler,
  options: ConversationOptions = {},
): Pick<Conversing, "conversation" | "ended"> {
  const { promise: ended, resolve } = Promise.withResolvers<ConversationEnd>();
  const info = connInfoOf(accepted, 1);
  const onEnd = (_: Conversation, end: ConversationEnd) => resolve(end);
  const conversation = new Conversation(accepted as Deno.TcpConn, info, options, onEnd);
  conversation.run(handler);
  return { conversation, ended };
}
