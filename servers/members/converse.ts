/**
 * What somebody who has logged in may say to every server: who they are, that they live, and that they leave.
 *
 * @module
 */
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { ClientMessage } from "../../lib/chat/protocol.ts";
import type { AuthDesk, Session } from "./auth_desk.ts";
import { TokenBucket, type TokenBucketOptions } from "../../lib/base/token_bucket.ts";
import { attempt, receiveMessage, reply, replyError } from "./messages.ts";

// More than a person types and a client asks, and no more.
const MEMBER_PACE: Readonly<TokenBucketOptions> = { burst: 30, perSecond: 5 };

/** What {@linkcode converse} needs. */
export interface ConverseOptions {
  /** Where the session is ended. */
  desk: AuthDesk;
  /** Who talks. */
  session: Session;
  /**
   * How fast this connection is read.
   *
   * @default {{ burst: 30, perSecond: 5 }}
   */
  pace?: TokenBucketOptions | undefined;
  /** Answers what is not about the session itself. */
  answer(message: ClientMessage): Promise<void>;
  /** Called before what is answered at once: a chance to answer first what came before. */
  settle?(): void;
  /** Told when storage is broken, which the client sees as `unavailable`. */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Talks with who has logged in. Gives `true` when the session was revoked, so that the client has to log in again,
 * and `false` when the conversation is over.
 */
export async function converse(conn: FramedConn, options: ConverseOptions): Promise<boolean> {
  const pace = new TokenBucket(options.pace ?? MEMBER_PACE);
  for (;;) {
    const message = await receiveMessage(conn, pace);
    if (message === null) return false;
    if (options.session.revoked) {
      const ref = "ref" in message ? message.ref : undefined;
      await replyError(conn, "unauthorized", "Your session was ended: log in again", { ref });
      return true;
    }
    if (message.type !== "say" && message.type !== "tell") options.settle?.();
    if (message.type !== "logout") await answer(conn, message, options);
    else if (await logOut(conn, options)) return false;
  }
}

async function answer(
  conn: FramedConn,
  message: ClientMessage,
  options: ConverseOptions,
): Promise<void> {
  switch (message.type) {
    case "whoami":
      return await reply(conn, { type: "you", name: options.session.name });
    case "ping":
      return await reply(conn, { type: "pong" });
    case "hello":
    case "login":
    case "register":
      return await replyError(conn, "bad_message", "You are logged in already");
    default:
      return await options.answer(message);
  }
}

/** Ends the session, and tells whether that worked: a token that could not be revoked must not seem so. */
async function logOut(
  conn: FramedConn,
  { desk, session, onError }: ConverseOptions,
): Promise<boolean> {
  await attempt(conn, () => desk.logOut(session), { onError });
  if (session.revoked) await reply(conn, { type: "bye", reason: "logged_out" });
  return session.revoked;
}
