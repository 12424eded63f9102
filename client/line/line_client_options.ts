/**
 * What the line client is made from.
 *
 * @module
 */

import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { BackoffOptions } from "../../lib/conn/reconnect.ts";
import type { ServerFlags } from "../shared/failure.ts";

/** What the client needs of a connection. */
export type LineConn = Pick<FramedConn, "send" | "receive" | "closeWrite" | "close">;

/** What a {@linkcode LineClient} talks with. */
export interface LineClientOptions {
  /** What to send; `exit`, or the end, ends the conversation. */
  lines: AsyncIterable<string>;
  /** Opens a connection, which the client owns. */
  connect(signal?: AbortSignal): Promise<LineConn>;
  /** Where `connect` leads, for messages. */
  server: ServerFlags;
  /** Takes a message of the server. What a server says is to be escaped before a terminal sees it. */
  onReply(text: string): void | Promise<void>;
  /** Takes a message of the client itself, which may quote the server: escape it too. */
  onService(message: string): void;
  /**
   * How long to wait for the next answer after the end of the input, in milliseconds; as long for a server that was
   * never there. One that was is waited for: it said that it comes back, or broke.
   * @default {5000}
   */
  answerTimeoutMs?: number;
  /** How long to wait between attempts to connect. */
  backoff?: BackoffOptions;
  /** Ends the conversation at once. */
  signal?: AbortSignal;
}
