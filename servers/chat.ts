/**
 * Exercise 2.2: many users at once, each message to all the others, and a history for who comes later.
 *
 * @module
 */
import { join } from "node:path";
import { ACCOUNTS_SCHEMA, addLooks } from "../lib/store/account_schema.ts";
import { AccountStore } from "../lib/store/account_store.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { FAMILIAR_SCHEMA } from "../lib/store/familiar_networks.ts";
import type { ConnInfo } from "../lib/server/server_events.ts";
import { type Database, type Migration, openDatabase } from "../lib/store/database.ts";
import type { FramedConn } from "../lib/conn/framed_conn.ts";
import { HistoryStore, MESSAGES_SCHEMA } from "../lib/store/history_store.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { keyOfName } from "../lib/chat/name.ts";
import { Outbox } from "../lib/conn/outbox.ts";
import { type ClientMessage, MAX_CLIENT_BODY_BYTES } from "../lib/chat/protocol.ts";
import { SESSIONS_SCHEMA, SessionStore } from "../lib/store/session_store.ts";
import { type TokenBucketOptions, TokenBuckets } from "../lib/base/token_bucket.ts";
import { TurnShare } from "../lib/chat/turn_share.ts";
import { attemptLog } from "./members/attempt_log.ts";
import { AuthDesk, type Session } from "./members/auth_desk.ts";
import type { ConnNames } from "./authentication.ts";
import { answerMember, type AnswerOptions } from "./members/chat_answers.ts";
import { enter } from "./members/chat_entry.ts";
import { type ChatMember, ChatRoom } from "./members/chat_room.ts";
import { converse } from "./members/converse.ts";
import type { ServerConfig } from "./control/config.ts";
import { countStrangers, type LogIn, logIn, type LogInOptions } from "./members/log_in.ts";
import { frameOf, goodbyeMessage } from "./members/messages.ts";
import { printLine } from "./control/output.ts";
import type { Service } from "./service.ts";
import { TroubleLog } from "./logging/trouble_log.ts";

/** The migrations of `chat.db`, for {@linkcode openDatabase}: the list only ever grows at its end. */
export const CHAT_MIGRATIONS: Migration[] = [
  ACCOUNTS_SCHEMA,
  SESSIONS_SCHEMA,
  MESSAGES_SCHEMA,
  addLooks,
  FAMILIAR_SCHEMA,
];

/** What a chat consists of. */
export interface ChatOptions extends AnswerOptions, Pick<LogInOptions, "strangers" | "onAttempt"> {
  /** The names of who is here, for the console. */
  names: ConnNames;
  /** How long a client may take to log in, in milliseconds. */
  loginMs?: number;
  /** How fast a client is read until it is in; see `logIn`. */
  loginPace?: TokenBucketOptions;
  /** How fast each connection of a member is read; see `converse`. */
  pace?: TokenBucketOptions;
  /** Told when a member was too slow and is dropped. */
  onTooSlow?(conn: ConnInfo): void;
}

/** Makes the handler of the chat: it logs a client in, and lets it take part until one of them ends it. */
export function chatHandler(options: ChatOptions): Handler {
  const { desk, history, names } = options;
  const lastId = () => history.lastId();
  const logInOptions = { ...options, server: "chat", lastId };
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
  const { desk, room, pace, onError } = options;
  const member = memberOf(conn, session, () => options.onTooSlow?.(info));
  using seat = await enter(conn, member, hello, options);
  session.onRevoked = () => {
    seat?.[Symbol.dispose]();
    options.names.delete(info);
  };
  if (session.revoked) session.onRevoked();
  const answer = (message: ClientMessage) => answerMember(message, conn, member, options);
  const settle = () => room.commit();
  try {
    return await converse(conn, { desk, session, pace, answer, settle, onError });
  } catch (error) {
    // Dropped as too slow while an answer waited to be sent: that is no failure.
    if (conn.closed) return false;
    throw error;
  }
}

function memberOf(conn: FramedConn, session: Session, onTooSlow: () => void): ChatMember {
  const outbox = new Outbox(conn, {
    onOverflow() {
      onTooSlow();
      conn.sendFrame(frameOf({ type: "bye", reason: "too_slow", retryAfterMs: 1000 }));
      conn.close();
    },
  });
  return {
    name: session.name,
    key: session.key,
    get revoked() {
      return session.revoked;
    },
    deliver(frame) {
      // When all users were forgotten, the name may be another's by now: nothing of theirs goes to its old bearer.
      if (!session.revoked) outbox.deliver(frame);
    },
  };
}

/** Opens the chat, which keeps `chat.db`. */
export function openChat(config: ServerConfig, log: LogFile): Service {
  const path = join(config.dataDir, "chat.db");
  const trouble = new TroubleLog(log, "storage failed");
  const database = openDatabase(path, {
    migrations: CHAT_MIGRATIONS,
    durable: config.durable,
    onShared: () => warnOfTwo(path, log),
    onCommitted: trouble.end,
  });
  const chat = chatOver(database, config, { log, onError: trouble.tell });
  return {
    handler: chatHandler(chat),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => chat.names.get(conn),
    isSecret: (conn) => !chat.names.has(conn),
    clearUsers: () => clearUsers(chat),
    say: (text) => chat.room.notice(text),
    sendAway: (isAway) => chat.room.isSentAway = isAway,
    trouble: () => trouble.lasting,
    close: () => database.close(),
  };
}

/** What is said on one server is stored for both, and told to the members of that one. */
function warnOfTwo(path: string, log: LogFile): void {
  log.warn("data shared", { path });
  printLine(
    Deno.stderr,
    `Warning: another server uses ${path} too, and the members of one will not hear those of the ` +
      "other: stop one of them, or give one a folder of its own, as --data data/second",
  );
}

function chatOver(
  database: Database,
  config: ServerConfig,
  { log, onError }: { log: LogFile; onError: (error: unknown) => void },
): ChatOptions {
  const { maxPerAddress } = config;
  const accounts = new AccountStore(database, { maxPerAddress });
  const history = new HistoryStore(database);
  return {
    desk: new AuthDesk(accounts, new SessionStore(database)),
    history,
    room: new ChatRoom({ history, keyOf: keyOfName, onError }),
    share: new TurnShare(),
    names: new Map(),
    flood: new TokenBuckets({ burst: config.burst, perSecond: config.rate }),
    strangers: countStrangers(config),
    // As fast as its user may speak; a few more at once, so that who says too much is told.
    pace: { burst: config.burst + 10, perSecond: config.rate },
    onTooSlow: ({ id, peer }) => log.warn("client too slow", { conn: id, peer }),
    onAttempt: attemptLog(log),
    onError,
  };
}

/** Forgets all users, and tells how many there were. */
export function clearUsers(
  { desk, history, room }: Pick<ChatOptions, "desk" | "history" | "room">,
): number {
  // What was said until now belongs to the old bearers of the names. Who takes one next is somebody else, and
  // must not see the old private messages, even if only the first of these steps comes to pass.
  room.commit();
  history.disown();
  return desk.clear();
}
