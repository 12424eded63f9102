/**
 * How a client enters the chat: it is shown what it missed, and then gets each message as it is said.
 *
 * @module
 */
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { HistoryStore, StoredMessage } from "../../lib/store/history_store.ts";
import type { TurnShare } from "../../lib/chat/turn_share.ts";
import { type ChatMember, type ChatRoom, messageFrame } from "./chat_room.ts";
import type { Hello } from "./log_in.ts";
import { attempt, UNAVAILABLE } from "./messages.ts";

/** How many messages are shown where the client does not say. */
export const DEFAULT_HISTORY = 50;
/** The most messages that are shown at once. */
export const MAX_HISTORY = 200;
// Missed messages are sent so many at a time, each page when the one before is on its way.
const REPLAY_PAGE = 200;

/** What {@linkcode enter} needs. */
export interface EntryOptions {
  /** What was said. */
  history: HistoryStore;
  /** Who is here. */
  room: ChatRoom;
  /** Where reading and sending old messages waits for its turn: it must not delay who talks. */
  share: TurnShare;
  /** Told when storage is broken, which the client sees as `unavailable`. */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Sends what the client missed, and then gives it a seat, so that each later message comes exactly once. Where the
 * history cannot be read, the client is told, and this goes on when it can. There is no seat for a session that is
 * ended meanwhile.
 */
export async function enter(
  conn: FramedConn,
  member: ChatMember,
  hello: Hello,
  options: EntryOptions,
): Promise<Disposable | undefined> {
  let seen = hello.since;
  for (;;) {
    const look = () => {
      seen ??= firstShown(member, hello, options);
      return nextStep(conn, member, seen, options);
    };
    const step = await attempt(conn, () => options.share.run(look), options);
    if (step === undefined) {
      await new Promise((resolve) => setTimeout(resolve, UNAVAILABLE.retryAfterMs));
    } else if ("seat" in step) return step.seat;
    else {
      await step.sent;
      seen = step.seen;
    }
  }
}

/** Sends messages that were said before, and settles when enough of them are on their way. */
export function replay(conn: FramedConn, messages: StoredMessage[]): Promise<void> | undefined {
  return messages.map((message) => conn.sendFrame(messageFrame(message, true))).at(-1);
}

/** The id before the oldest of the last messages that a newcomer is shown. */
function firstShown(
  { name }: ChatMember,
  { history: limit = DEFAULT_HISTORY }: Hello,
  { history }: EntryOptions,
): number {
  const [first] = history.latest(name, Math.min(limit, MAX_HISTORY));
  return first ? first.id - 1 : history.lastId();
}

/** Sends more of what was missed, or gives a seat when that was all: nothing can be said between the look and the seat. */
function nextStep(
  conn: FramedConn,
  member: ChatMember,
  seen: number,
  { history, room }: EntryOptions,
): { sent: Promise<void> | undefined; seen: number } | { seat: Disposable | undefined } {
  if (member.revoked) return { seat: undefined };
  room.commit();
  const missed = history.since(seen, member.name, REPLAY_PAGE);
  if (missed.length === 0) return { seat: room.join(member) };
  return { sent: replay(conn, missed), seen: missed.at(-1)!.id };
}
