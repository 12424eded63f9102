/**
 * What a chat session is given, and what it gives.
 *
 * @module
 */

import type { ByeReason, ClientMessage, ServerMessage } from "../../lib/chat/protocol.ts";
import type { BackoffOptions, LostConnection, ReconnectWait } from "../../lib/conn/reconnect.ts";
import type { ChatConn } from "./connection.ts";
import type { Credentials, LoginStore, Refusal } from "./session_login.ts";
import type { OwnMessage } from "./pending.ts";

/** A wait for the next attempt to connect; `bye`: the reason that the server gave for the end of the last one. */
export type ChatWait = ReconnectWait & { bye?: ByeReason };

/** A question to the server that is not repeated when the connection is lost. */
export type ChatRequest = Exclude<
  ClientMessage,
  { type: "hello" | "register" | "login" | "say" | "tell" }
>;

/** What a {@linkcode ChatSession} works with. */
export interface ChatSessionOptions {
  /** Opens a connection, which the session owns. */
  connect(signal?: AbortSignal): Promise<ChatConn>;
  /** Whether connections are encrypted: tokens are not sent over both kinds. @default {false} */
  tls?: boolean;
  /** Where logins are kept; without it a new run needs the password. */
  logins?: LoginStore | undefined;
  /** Gives what to log in with, again after each refusal, which may take any time; `null` gives up. */
  credentials(refusal?: Refusal): Promise<Credentials | null>;
  /**
   * Takes what the server sends, each chat message once; nothing more is received until it settles. With `said`, `own`
   * is the message to show, unless it was replayed before; with `error`, it is the one that will not be sent again.
   */
  onMessage(message: ServerMessage, own?: OwnMessage): void | Promise<void>;
  /** Called at each wait for the next attempt to connect. */
  onWait?(wait: ChatWait): void;
  /** Called with the reason when the login cannot be kept. */
  onNotKept?(reason: string): void;
  /** How many earlier messages to ask for at the start; the server decides when left out. */
  history?: number;
  /** How long to wait between attempts to connect, or to log in. */
  backoff?: BackoffOptions;
  /**
   * Returns whether another attempt can help, after a failure before the server was first reached; or throws an explanation.
   * @default {as `Reconnector`}
   */
  isRetriable?(error: unknown): boolean;
}

/** How a session ended: by `close`, by a logout, by the server's operator, or for lack of credentials. */
export type ChatEnd = "closed" | "logged_out" | "kicked" | "given_up";

/** Why the user is not logged in on this connection any more: one of the first three. */
export interface Outcome {
  /** The session is over. */
  end?: ChatEnd;
  /** Other credentials are needed. */
  refusal?: Refusal;
  /** The connection is gone, and another may be opened. */
  lost?: LostConnection;
  /** The reason that the server gave for it. */
  bye?: ByeReason;
}
