/**
 * What a member of the chat may say, and what becomes of it.
 *
 * @module
 */
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { ClientMessage, ErrorCode } from "../../lib/chat/protocol.ts";
import { isTextTooLong, TEXT_TOO_LONG } from "../../lib/chat/text_length.ts";
import type { TokenBuckets } from "../../lib/base/token_bucket.ts";
import type { AuthDesk } from "./auth_desk.ts";
import { DEFAULT_HISTORY, type EntryOptions, MAX_HISTORY, replay } from "./chat_entry.ts";
import type { ChatMember } from "./chat_room.ts";
import { attempt, reply, replyError } from "./messages.ts";

/** What {@linkcode answerMember} needs. */
export interface AnswerOptions extends EntryOptions {
  /** Who may be told something. */
  desk: AuthDesk;
  /** Flood control, by user. */
  flood: TokenBuckets;
}

type Text = ClientMessage & { type: "say" | "tell" };
type History = ClientMessage & { type: "history" };

/** Answers one message of a member. Whoever says too much at once waits, and nothing is read from them meanwhile. */
export async function answerMember(
  message: ClientMessage,
  conn: FramedConn,
  member: ChatMember,
  options: AnswerOptions,
): Promise<void> {
  const retryAfterMs = options.flood.take(member.key);
  if (retryAfterMs > 0) return await slowDown(message, conn, retryAfterMs);
  switch (message.type) {
    case "say":
    case "tell":
      return await takeText(message, conn, member, options);
    case "history":
      return await showEarlier(message, conn, member, options);
    case "who":
      return await reply(conn, { type: "users", names: options.room.names() });
  }
}

async function slowDown(
  message: ClientMessage,
  conn: FramedConn,
  retryAfterMs: number,
): Promise<void> {
  const ref = "ref" in message ? message.ref : undefined;
  const text = "Slow down: this message was not taken, send it again later";
  await replyError(conn, "too_fast", text, { ref, retryAfterMs });
  // Nothing more is read from this connection until the bucket allows: a flood waits in the sender's own buffers.
  await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
}

async function showEarlier(
  { before = Number.MAX_SAFE_INTEGER, limit = DEFAULT_HISTORY }: History,
  conn: FramedConn,
  member: ChatMember,
  options: AnswerOptions,
): Promise<void> {
  const { history, share } = options;
  const read = () =>
    member.revoked ? [] : history.before(before, member.name, Math.min(limit, MAX_HISTORY));
  // In an object: what goes wrong while it is sent is no fault of the storage.
  const show = () => ({ sent: replay(conn, read()) });
  const shown = await attempt(conn, () => share.run(show), options);
  await shown?.sent;
}

async function takeText(
  message: Text,
  conn: FramedConn,
  member: ChatMember,
  options: AnswerOptions,
): Promise<void> {
  const { ref, text } = message;
  const { desk, room, onError } = options;
  const problem = problemOf(text);
  if (problem) return await replyError(conn, ...problem, { ref });
  const receiver = await attempt(conn, () => receiverOf(message, desk), { ref, onError });
  if (receiver === null) {
    return await replyError(conn, "no_such_user", "There is no user of that name", { ref });
  }
  if (receiver) {
    room.say(member, { from: member.name, ref, text, at: Date.now(), ...receiver });
  }
}

/** Why a text is not taken, if it is not. */
function problemOf(text: string): [ErrorCode, string] | undefined {
  if (text.trim() === "") return ["bad_message", "Send a text that is not blank"];
  if (!isTextTooLong(text)) return undefined;
  return ["too_long", TEXT_TOO_LONG];
}

/** Whom alone a text is for, if anybody; `null` for a name that nobody has. */
function receiverOf(message: Text, desk: AuthDesk): { to?: string } | null {
  if (message.type === "say") return {};
  const to = desk.nameOf(message.to);
  return to === undefined ? null : { to };
}
