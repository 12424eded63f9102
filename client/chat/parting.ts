/**
 * How connections and sessions end.
 *
 * @module
 */

import type { ByeReason } from "../../lib/chat/protocol.ts";
import type { LostConnection } from "../../lib/conn/reconnect.ts";
import type { Refusal } from "./credentials.ts";

/** How a session ended: by `close`, by a logout, by the server's operator, or for want of credentials. */
export type ChatEnd = "closed" | "logged_out" | "kicked" | "given_up";

/** What became of a conversation: one of the first three, and what the server said last. */
export interface Parting {
  /** The session is over. */
  end?: ChatEnd;
  /** Other credentials are needed. */
  refusal?: Refusal;
  /** The connection is gone, and another may be opened. */
  lost?: LostConnection;
  /** The reason of the goodbye. */
  bye?: ByeReason;
}
