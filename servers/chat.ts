/**
 * Exercise 2.2: many users at once, each message to all the others, and a history for who comes later.
 *
 * @module
 */
import { join } from "node:path";
import { ACCOUNTS_SCHEMA, AccountStore } from "../lib/account_store.ts";
import type { ConnInfo, Handler } from "../lib/conversation.ts";
import { openDatabase } from "../lib/database.ts";
import type { FramedConn } from "../lib/framed_conn.ts";
import { HistoryStore, MESSAGES_SCHEMA, type StoredMessage } from "../lib/history_store.ts";
import type { LogFile } from "../lib/log_file.ts";
import { keyOfName } from "../lib/name.ts";
import { Outbox } from "../lib/outbox.ts";
import type { ClientMessage } from "../lib/protocol.ts";
import { SESSIONS_SCHEMA, SessionStore } from "../lib/session_store.ts";
import { TokenBuckets } from "../lib/token_bucket.ts";
import { AuthDesk, type Session } from "./auth_desk.ts";
import { type ConnNames, converse, type LogIn, logIn, MAX_BODY_BYTES } from "./authentication.ts";
import { type ChatMember, ChatRoom, frameOf, messageFrame } from "./chat_room.ts";
import type { ServerConfig } from "./config.ts";
import { goodbyeMessage, reply, replyError } from "./messages.ts";
import type { Service } from "./service.ts";

/** The longest text, in bytes of UTF-8. */
export const MAX_TEXT_BYTES: number = 4 * 1024;
const DEFAULT_HISTORY = 50;
const MAX_HISTORY = 200;
// Missed messages are sent so many at a time, each page when the one before is on its way.
const REPLAY_PAGE = 200;
// A client that is silent for so long is dead: clients ping every 30 s.
const IDLE_TIMEOUT_MS = 90_000;

/** What a chat consists of. */
export interface ChatOptions {
  /** Who may come in. */
  desk: AuthDesk;
  /** What was said. */
  history: HistoryStore;
  /** Who is here. */
  room: ChatRoom;
  /** Their names, for the console. */
  names: ConnNames;
  /** Flood control, by user. */
  flood: TokenBuckets;
  /** Told when a member was too slow and is dropped. */
  onTooSlow?(conn: ConnInfo): void;
}

/** Makes the handler of the chat: it logs a client in, and lets it take part until one of them ends it. */
export function chatHandler(options: ChatOptions): Handler {
  const { desk, history, names } = options;
  const logInOptions = { desk, server: "chat", lastId: () => history.lastId() };
  return async (conn, info) => {
    for (;;) {
      const entry = await logIn(conn, info, logInOptions);
      if (!entry) return;
      try {
        names.set(info, entry.session.name);
        if (!await takePart(conn, info, entry, options)) return;
      } finally {
        names.delete(info);
        desk.leave(entry.session);
      }
    }
  };
}

async function takePart(
  conn: FramedConn,
  info: ConnInfo,
  { session, hello }: LogIn,
  options: ChatOptions,
): Promise<boolean> {
  const member = memberOf(conn, session, () => options.onTooSlow?.(info));
  const since = hello.since ?? firstShown(session.name, hello.history, options.history);
  using _seat = await enter(conn, member, since, options);
  const answer = (message: ClientMessage) => take(message, conn, member, options);
  return await converse(conn, { desk: options.desk, session, answer });
}

function memberOf(conn: FramedConn, { name, key }: Session, onTooSlow: () => void): ChatMember {
  const outbox = new Outbox(conn, {
    onOverflow() {
      onTooSlow();
      conn.sendFrame(frameOf({ type: "bye", reason: "too_slow", retryAfterMs: 1000 }));
      conn.close();
    },
  });
  return { name, key, deliver: (frame) => outbox.deliver(frame) };
}

/** The id before the oldest of the last messages that a newcomer is shown. */
function firstShown(name: string, limit = DEFAULT_HISTORY, history: HistoryStore): number {
  const [first] = history.latest(name, Math.min(limit, MAX_HISTORY));
  return first ? first.id - 1 : history.lastId();
}

/** Sends what was said after `since`, and then takes a seat, so that each later message comes exactly once. */
async function enter(
  conn: FramedConn,
  member: ChatMember,
  since: number,
  { history, room }: ChatOptions,
): Promise<Disposable> {
  for (let seen = since;;) {
    room.commit();
    const missed = history.since(seen, member.name, REPLAY_PAGE);
    if (missed.length === 0) return room.join(member);
    await replay(conn, missed);
    seen = missed.at(-1)!.id;
  }
}

async function replay(conn: FramedConn, messages: StoredMessage[]): Promise<void> {
  for (const message of messages) await conn.sendFrame(messageFrame(message, true));
}

async function take(
  message: ClientMessage,
  conn: FramedConn,
  member: ChatMember,
  options: ChatOptions,
): Promise<void> {
  const ref = "ref" in message ? message.ref : undefined;
  const retryAfterMs = options.flood.take(member.key);
  if (retryAfterMs > 0) {
    const text = "Slow down: this message was not taken, send it again later";
    await replyError(conn, "too_fast", text, { ref, retryAfterMs });
    // Nothing more is read from this connection until the bucket allows: a flood waits in the sender's own buffers.
    return await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
  switch (message.type) {
    case "say":
    case "tell":
      return await takeText(message, conn, member, options);
    case "history":
      return await replay(conn, earlier(message, member, options.history));
    case "who":
      return await reply(conn, { type: "users", names: options.room.names() });
  }
}

function earlier(
  { before = Number.MAX_SAFE_INTEGER, limit = DEFAULT_HISTORY }: {
    before?: number;
    limit?: number;
  },
  { name }: ChatMember,
  history: HistoryStore,
): StoredMessage[] {
  return history.before(before, name, Math.min(limit, MAX_HISTORY));
}

async function takeText(
  message: ClientMessage & { type: "say" | "tell" },
  conn: FramedConn,
  member: ChatMember,
  { desk, room }: ChatOptions,
): Promise<void> {
  const { ref, text } = message;
  if (text.trim() === "") {
    return await replyError(conn, "bad_message", "Send a text that is not blank", { ref });
  }
  if (isTooLong(text)) {
    const limit = `A text has at most ${MAX_TEXT_BYTES} bytes of UTF-8: send it in parts`;
    return await replyError(conn, "too_long", limit, { ref });
  }
  const to = message.type === "tell" ? desk.nameOf(message.to) : undefined;
  if (message.type === "tell" && to === undefined) {
    return await replyError(conn, "no_such_user", "There is no user of that name", { ref });
  }
  room.say(member, {
    from: member.name,
    ref,
    text,
    at: Date.now(),
    ...(to !== undefined && { to }),
  });
}

const utf8 = new TextEncoder();

function isTooLong(text: string): boolean {
  return text.length > MAX_TEXT_BYTES || utf8.encode(text).length > MAX_TEXT_BYTES;
}

/** Opens the chat, which keeps `chat.db`. */
export function openChat(config: ServerConfig, log: LogFile): Service {
  const database = openDatabase(join(config.dataDir, "chat.db"), {
    migrations: [ACCOUNTS_SCHEMA, SESSIONS_SCHEMA, MESSAGES_SCHEMA],
    durable: config.durable,
  });
  const desk = new AuthDesk(new AccountStore(database), new SessionStore(database));
  const history = new HistoryStore(database);
  const onError = (error: unknown) => log.error("messages not stored", { error: String(error) });
  const room = new ChatRoom({ history, keyOf: keyOfName, onError });
  const names: ConnNames = new Map();
  const flood = new TokenBuckets({ burst: config.burst, perSecond: config.rate });
  const onTooSlow = ({ id, peer }: ConnInfo) => log.warn("client too slow", { conn: id, peer });
  return {
    handler: chatHandler({ desk, history, room, names, flood, onTooSlow }),
    options: {
      goodbye: goodbyeMessage,
      maxBodyBytes: MAX_BODY_BYTES,
      idleTimeoutMs: config.idleTimeoutMs || IDLE_TIMEOUT_MS,
    },
    nameOf: (conn) => names.get(conn),
    clearUsers() {
      const cleared = desk.clear();
      // Who takes one of the names next is somebody else, and must not see the old private messages.
      history.disown();
      return cleared;
    },
    say: (text) => room.notice(text),
    close: () => database.close(),
  };
}
