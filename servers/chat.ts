/**
 * Exercise 2.2: many users at once, each message to all the others, and a history for who comes later.
 *
 * @module
 */
import { join } from "node:path";
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { openDatabase } from "../lib/store/database.ts";
import { HistoryStore } from "../lib/store/history_store.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { CHAT_MIGRATIONS } from "../lib/store/migrations.ts";
import { MAX_CLIENT_BODY_BYTES } from "../lib/chat/protocol.ts";
import { TokenBuckets } from "../lib/base/token_bucket.ts";
import { attemptLog } from "./members/attempt_log.ts";
import { LOGIN_MS } from "./members/login.ts";
import { type Chat, ChatMember } from "./members/chat_member.ts";
import { ChatRoom } from "./members/chat_room.ts";
import { Members } from "./members/members.ts";
import type { ServerConfig } from "./control/config.ts";
import { goodbyeMessage } from "./members/messages.ts";
import type { Service } from "./service.ts";
import { TroubleLog } from "./logging/trouble_log.ts";

/** Makes the handler of the chat. */
export function chatHandler(chat: Chat): Handler<MessageConn> {
  return (conn, info) => new ChatMember(conn, info, chat).serve();
}

/** Opens the chat, which keeps `chat.db`. */
export function openChat(config: ServerConfig, log: LogFile): Service {
  const { burst, rate, maxPerAddress, durable, keep } = config;
  const trouble = new TroubleLog(log, "storage failed");
  const database = openDatabase(join(config.dataDir, "chat.db"), {
    migrations: CHAT_MIGRATIONS,
    durable,
    exclusive: true,
    onCommitted: trouble.end,
  });
  const onStorageError = trouble.tell;
  const members = new Members(database, {
    server: "chat",
    maxPerAddress,
    // As fast as its user may speak; a few more at once, so that a client that sends too much is told.
    pace: { burst: burst + 10, perSecond: rate },
    onAttempt: attemptLog(log),
    onStorageError,
  });
  const history = new HistoryStore(database, { keep });
  const room = new ChatRoom(history, { onStorageError });
  const flood = new TokenBuckets({ burst, perSecond: rate });
  const onTooSlow: Chat["onTooSlow"] = ({ id, peer }) =>
    log.warn("client too slow", { conn: id, peer });
  return {
    handler: chatHandler({ members, room, flood, onTooSlow }),
    silence: members.unauthenticated.silence(LOGIN_MS),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => members.nameOf(conn),
    isSecret: (conn) => members.nameOf(conn) === undefined,
    onKick: (conn) => members.kick(conn),
    clearUsers: () => members.clear(),
    say: (text) => room.notice(text),
    sendAway: (isAway) => room.isSentAway = isAway,
    trouble: () => trouble.lasting,
    stored: () => `${history.count} stored${keep ? `, at most ${keep} are kept` : ""}`,
    close() {
      room.close();
      database.close();
    },
  };
}
