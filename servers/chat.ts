/**
 * Exercise 2.2: many users at once, each message to all the others, and a history for who comes later.
 *
 * @module
 */
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { HistoryStore } from "../lib/store/history_store.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { CHAT_MIGRATIONS } from "../lib/store/migrations.ts";
import { TokenBuckets } from "../lib/base/token_bucket.ts";
import { type Chat, ChatMember } from "./members/chat_member.ts";
import { ChatRoom } from "./members/chat_room.ts";
import { openMembers } from "./members/members_service.ts";
import type { ServerConfig } from "./control/config.ts";
import type { Service } from "./service.ts";

/** Makes the handler of the chat. */
export function chatHandler(chat: Chat): Handler<MessageConn> {
  return (conn, info) => new ChatMember(conn, info, chat).serve();
}

/** Opens the chat, which keeps `chat.db`. */
export function openChat(config: ServerConfig, log: LogFile): Service {
  const { burst, rate, keep } = config;
  // As fast as its user may speak; a few more at once, so that a client that sends too much is told.
  const pace = { burst: burst + 10, perSecond: rate };
  const opened = openMembers(config, log, CHAT_MIGRATIONS, pace);
  const { database, members, onStorageError, service } = opened;
  const history = new HistoryStore(database, { keep });
  const room = new ChatRoom(history, { onStorageError });
  const flood = new TokenBuckets({ burst, perSecond: rate });
  const onTooSlow: Chat["onTooSlow"] = ({ id, peer }) =>
    log.warn("client too slow", { conn: id, peer });
  return {
    ...service,
    handler: chatHandler({ members, room, flood, onTooSlow }),
    say: (text) => room.notice(text),
    sendAway: (isAway) => room.isSentAway = isAway,
    stored: () => `${history.count} stored${keep ? `, at most ${keep} are kept` : ""}`,
    close() {
      room.close();
      database.close();
    },
  };
}
