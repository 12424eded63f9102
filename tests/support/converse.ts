/**
 * One conversation over a real connection, without a server around it.
 *
 * @module
 */
import { Conversation, type Handler } from "../../lib/server/conversation.ts";
import type {
  ConversationEnd,
  ConversationOptions,
} from "../../lib/server/conversation_options.ts";
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

/** Runs a handler on one end of a connection. */
export async function converse(
  handler: Handler,
  options: ConversationOptions = {},
): Promise<Conversing> {
  const events = new Events();
  const [client, accepted] = await tcpPair();
  const conversation = new Conversation(accepted, connInfoOf(accepted, 1), {
    onEvent: events.take,
    ...options,
  });
  const ended = conversation.run(handler);
  return { client, peer: new FramedConn(client), conversation, ended, events };
}
