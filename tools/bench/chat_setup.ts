/**
 * A chat for benchmarks: the real one, on a file, with members who have their tokens already.
 *
 * @module
 */
import { join } from "node:path";
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore } from "../../lib/store/history_store.ts";
import type { Handler } from "../../lib/server/conversation.ts";
import { CHAT_MIGRATIONS } from "../../lib/store/migrations.ts";
import { TokenBuckets } from "../../lib/base/token_bucket.ts";
import { chatHandler } from "../../servers/chat.ts";
import { ChatRoom } from "../../servers/members/chat_room.ts";
import { Members } from "../../servers/members/members.ts";

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
export async function openBenchChat(folder: string, count: number): Promise<BenchChat> {
  const database = openDatabase(join(folder, "chat.db"), { migrations: CHAT_MIGRATIONS });
  const onStorageError = (error: unknown) => console.error(error);
  const accounts = { params: CHEAP, maxWaiting: count };
  const members = new Members(database, {
    server: "chat",
    accounts,
    pace: NO_LIMIT,
    onStorageError,
  });
  const history = new HistoryStore(database);
  const names = Array.from({ length: count }, (_, i) => `member_${i}`);
  const tokens = await Promise.all(names.map(async (name) => {
    const session = await members.accounts.register(name, "correct horse");
    if ("code" in session) throw new Error(session.message);
    return session.token;
  }));
  return {
    handler: chatHandler({
      members,
      room: new ChatRoom(history, { onStorageError }),
      flood: new TokenBuckets(NO_LIMIT),
      onTooSlow: ({ peer }) => console.error(`${peer} was too slow and is dropped`),
    }),
    history,
    tokens,
    [Symbol.dispose]: () => database.close(),
  };
}
