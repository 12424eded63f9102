/**
 * What the listening thread and the thread of a conversation say to each other.
 *
 * @module
 */
import type { CarriedError } from "./carried_error.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";

/** Where a thread finds the handler that it runs. */
export interface HandlerSource {
  /** The URL of the module. */
  module: string;
  /** The name under which the module exports the handler. */
  name: string;
}

/** A thread's first message: what it runs, and the port on which everything else is said. */
export interface ThreadStart {
  /** What it runs. */
  handler: HandlerSource;
  /** Carries the conversation's bytes and the notes. */
  port: MessagePort;
}

/** What the handler of a thread needs to know about its connection. */
export interface ConversationStart {
  /** Who is at the other end. */
  info: ConnInfo;
  /** The address of this end. */
  localAddr: Deno.NetAddr;
  /** The address of the peer. */
  remoteAddr: Deno.NetAddr;
  /** A `receive` waits so long for a byte, in milliseconds; 0 waits for ever. */
  idleTimeoutMs: number;
}

/** From the listening thread: hold a conversation; end it, for the server wants so. */
export type NoteToThread = { type: "hold"; start: ConversationStart } | { type: "stop" };

/**
 * From the thread: a message came or went; the handler has returned or failed, by the peer's fault or its own, and has
 * closed its connection or not.
 */
export type NoteFromThread =
  | { type: "received" | "sent"; bytes: number }
  | { type: "returned"; closed: boolean; error?: CarriedError; isPeers?: boolean };
