/**
 * What a conversation takes, and how it ended.
 *
 * @module
 */
import type { FramedConnOptions } from "../conn/conn_options.ts";
import type { EndReason, GoodbyeReason } from "./end_reason.ts";
import type { ServerEvent } from "./server_events.ts";

/** Options for {@linkcode Conversation}. */
export interface ConversationOptions extends FramedConnOptions {
  /**
   * A TLS peer has this long to shake hands, in milliseconds; then it is closed as `idle`. 0 sets no limit.
   *
   * @default {10000}
   */
  handshakeTimeoutMs?: number;
  /**
   * A peer has this long to close its end once it was sent everything, in milliseconds, the goodbye included; then the
   * server closes the connection. A peer that was `kicked` has this long to take what it is sent, too. While a peer takes
   * bytes, or until `sendTimeoutMs` has passed without that, others are waited for. 0 sets no limit.
   *
   * @default {2000}
   */
  closeTimeoutMs?: number;
  /**
   * Makes the last message; `undefined` sends none. The default is a sentence that begins with `Goodbye: `.
   *
   * What it throws is printed to standard error, and no message is sent.
   */
  goodbye?: (reason: GoodbyeReason, detail?: string) => string | undefined;
  /**
   * Called with everything that happens. What it throws is printed to standard error, and the server continues. Without
   * it, what handlers throw is printed too.
   */
  onEvent?: (event: ServerEvent) => void;
}

/** How a conversation ended, and with which error, if there was one. */
export interface ConversationEnd {
  /** Why it ended. */
  reason: EndReason;
  /** What the handler or the handshake threw, or what kept the last bytes from being sent. */
  error?: unknown;
}
