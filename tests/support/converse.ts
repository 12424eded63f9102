/**
 * One conversation over a real connection, without a server around it.
 *
 * @module
 */
import { Conversation, type ConversationEnd, type Handler } from "../../lib/server/conversation.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
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
  const conversation = new Conversation(accepted, connInfoOf(accepted, 1), {
    onEvent: events.take,
    goodbye: goodbyeText,
    ...options,
  });
  const ended = conversation.run(handler);
  return { client, peer: new FramedConn(client), conversation, ended, events };
}
