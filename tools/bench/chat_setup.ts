/**
 * A chat for benchmarks: the real one, on a file, with members who have their tokens already.
 *
 * @module
 */
import { join } from "node:path";
import { AccountStore } from "../../lib/store/account_store.ts";
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore } from "../../lib/store/history_store.ts";
import type { Handler } from "../../lib/server/conversation.ts";
import { keyOfName } from "../../lib/chat/name.ts";
import { SessionStore } from "../../lib/store/session_store.ts";
import { TokenBuckets } from "../../lib/base/token_bucket.ts";
import { TurnShare } from "../../lib/chat/turn_share.ts";
import { AuthDesk } from "../../servers/members/auth_desk.ts";
import { CHAT_MIGRATIONS, chatHandler } from "../../servers/chat.ts";
import { ChatRoom } from "../../servers/members/chat_room.ts";

// Passwords are not what is measured: they are hashed as cheaply as the store allows.
const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };
const NO_LIMIT = { burst: 1e9, perSecond: 1e9 };

/** A chat and what is known of it. */
export interface BenchChat extends Disposable {
  /** Holds a member's conversation. */
  handler: Handler;
  /** What was said. */
  history: HistoryStore;
  /** The token of each member. */
  tokens: string[];
}

/** A new temporary folder, which disposal removes. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ prefix: "framed_bench_" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Opens a chat with so many members in an empty folder. */
export async function openBenchChat(folder: string, members: number): Promise<BenchChat> {
  const database = openDatabase(join(folder, "chat.db"), { migrations: CHAT_MIGRATIONS });
  const accounts = new AccountStore(database, { params: CHEAP, maxWaiting: members });
  const names = Array.from({ length: members }, (_, i) => `member_${i}`);
  await Promise.all(names.map((name) => accounts.register(name, "correct horse")));
  const sessions = new SessionStore(database);
  const history = new HistoryStore(database);
  const onError = (error: unknown) => console.error(error);
  return {
    handler: chatHandler({
      desk: new AuthDesk(accounts, sessions),
      history,
      room: new ChatRoom({ history, keyOf: keyOfName, onError }),
      share: new TurnShare(),
      names: new Map(),
      flood: new TokenBuckets(NO_LIMIT),
      pace: NO_LIMIT,
      onTooSlow: ({ peer }) => console.error(`${peer} was too slow and is dropped`),
    }),
    history,
    tokens: names.map((name) => sessions.create(name).token),
    [Symbol.dispose]: () => database.close(),
  };
}
