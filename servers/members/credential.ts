/**
 * What a client proves with who it is: a token, a password, or a new account.
 *
 * @module
 */
import type { Refusal } from "../../lib/store/account_refusal.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { ClientMessage, ErrorCode } from "../../lib/chat/protocol.ts";
import type { Attempt } from "./attempt_log.ts";
import type { AuthDesk, Session } from "./auth_desk.ts";
import { UNAVAILABLE } from "./messages.ts";

/** What {@linkcode tryToAdmit} needs. */
export interface CredentialOptions {
  /** Who may come in. */
  desk: AuthDesk;
  /** The newest message's id, for the `welcome`. */
  lastId?(): number;
  /** Told of each attempt to get in, and how it ended. */
  onAttempt?: ((conn: ConnInfo, attempt: Attempt) => void) | undefined;
  /** Told when storage is broken, which the client sees as `unavailable`. */
  onError?: ((error: unknown) => void) | undefined;
}

/** What a client proves with who it is. */
export type Credential = Extract<ClientMessage, { type: Attempt["type"] }>;

/** Tells whether a message asks to be let in. */
export function isCredential(message: ClientMessage): message is Credential {
  return message.type === "hello" || message.type === "login" || message.type === "register";
}

/** Why there is no session. */
export type Problem = Pick<Refusal, "message" | "retryAfterMs"> & { code: ErrorCode };

/** Begins a session, or tells why not. It never rejects: broken storage is `unavailable`. */
export async function tryToAdmit(
  message: Credential,
  info: ConnInfo,
  { desk, lastId, onAttempt, onError }: CredentialOptions,
): Promise<{ session: Session; last: number } | Problem> {
  const { type } = message;
  try {
    const last = lastId?.() ?? 0;
    const session = await admit(message, info.address, desk);
    if (!("token" in session)) {
      onAttempt?.(info, { type, code: session.code });
      return session;
    }
    onAttempt?.(info, { type, name: session.name });
    return { session, last };
  } catch (error) {
    onError?.(error);
    onAttempt?.(info, { type, code: UNAVAILABLE.code });
    return UNAVAILABLE;
  }
}

/** A session, or why there is none. */
async function admit(
  message: Credential,
  address: string,
  desk: AuthDesk,
): Promise<Session | Problem> {
  switch (message.type) {
    case "hello":
      return desk.resume(message.token ?? "") ??
        unauthorized("The token is not valid any more: log in");
    case "register":
      return await desk.register(message.name, message.password, address);
    case "login":
      return await desk.logIn(message.name, message.password, address);
  }
}

/** Says what to do first. */
export function unauthorized(message: string): Problem {
  return { code: "unauthorized", message };
}
