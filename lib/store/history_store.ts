/**
 * The messages of a chat, in their order.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { storage } from "./storage_error.ts";

/** An account, and its name for those who read. */
export interface Person {
  /** The account's id, which is never used again. */
  id: number;
  /** Its name, as it was registered. */
  name: string;
}

/** A message to store. All texts must be well-formed: a lone surrogate would come back as U+FFFD. */
export interface NewMessage {
  /** Who sends it. */
  sender: Person;
  /**
   * The sender's own id of the message: for each sender, one `ref` is one message. Refs that sort in the order in which
   * they are made (a time, a counter) are stored faster than random ones.
   */
  ref: string;
  /** What it says. */
  text: string;
  /** The only reader; without it, all may read it. */
  receiver?: Person;
  /** When it arrived, in whole milliseconds since 1970. */
  at: number;
}

/** A message from the store. */
export interface StoredMessage {
  /** Its place in the order of all messages. */
  id: number;
  /** When it arrived, in milliseconds since 1970. */
  at: number;
  /** The sender's name. */
  from: string;
  /** What it says. */
  text: string;
  /** The name of the only reader, if it is private. */
  to?: string;
}

/** The result of storing one message. */
export interface AppendedMessage {
  /** Its id, or that of the message stored before under the same sender and `ref`. */
  id: number;
  /** It had been stored before, so nothing was stored now. */
  repeated: boolean;
}

/** Options for {@linkcode HistoryStore}. */
export interface HistoryStoreOptions {
  /**
   * How many messages are kept; older ones are deleted. 0 keeps all.
   *
   * @default {0}
   */
  keep?: number;
}

// After `keep` was made smaller, the rest goes a little with each append: to delete a million at once takes seconds.
const MAX_DELETED_AT_ONCE = 1000;

/**
 * Keeps the messages of a chat and finds those that a member may see.
 *
 * - **Gapless.** Ids are 1, 2, 3 … over all messages; a failed or repeated one uses none up. To a member the ids jump
 *   where a private message of others stands; that tells them that it exists, and nothing else.
 * - **Private.** A message with a receiver is seen by its two accounts only. An account that is registered later under
 *   one of their names is another one.
 * - **Flat.** Each query reads about as many rows as it returns, however many there are.
 *
 * All methods are synchronous, and throw {@linkcode StorageError} where storage is broken.
 */
export class HistoryStore {
  readonly #database: Database;
  readonly #keep: number;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #before: StatementSync;
  readonly #delete: StatementSync;
  readonly #firstId: StatementSync;
  #lastId: number;

  /**
   * Works on a database with the tables of `CHAT_MIGRATIONS`, which nothing else writes to; closing it is the caller's.
   *
   * @param database Where messages are kept.
   * @param options How many.
   */
  constructor(database: Database, options: HistoryStoreOptions = {}) {
    this.#database = database;
    this.#keep = options.keep ?? 0;
    this.#find = database.prepare("SELECT id FROM messages WHERE sender_id = ? AND ref = ?");
    this.#insert = database.prepare(
      `INSERT INTO messages (at, sender_id, sender, ref, text, receiver_id, receiver)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    // The text as a blob, because a text is read only up to its first U+0000.
    const columns = "id, at, sender, CAST(text AS BLOB) AS text, receiver";
    this.#after = database.prepare(`${visible(columns, "id > :id")} ORDER BY id LIMIT :limit`);
    this.#before = database.prepare(`${visible("id", "id < :id")} ORDER BY id DESC LIMIT :limit`);
    this.#delete = database.prepare(
      "DELETE FROM messages WHERE id <= min(?, (SELECT min(id) FROM messages) + ?)",
    );
    this.#firstId = database.prepare("SELECT min(id) AS id FROM messages");
    const seq = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    this.#lastId = Number(seq?.["seq"] ?? 0);
  }

  /** The id of the last message, private ones included; 0 when there was none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** How many messages are stored. */
  get count(): number {
    const { id } = storage(() => this.#firstId.get()) as { id: number | null };
    return id === null ? 0 : this.#lastId - id + 1;
  }

  /**
   * Stores messages in their order, in one transaction: when this returns all are committed, when it throws none is.
   *
   * @param batch The messages. One that repeats a sender's `ref`, from this batch or any before, is not stored again.
   * @returns The result for each, in the same order.
   */
  append(batch: readonly NewMessage[]): AppendedMessage[] {
    return storage(() => {
      let lastId = this.#lastId;
      const appended = this.#database.transaction(() => {
        const results = batch.map((message) => this.#append(message));
        for (const { id } of results) lastId = Math.max(lastId, id);
        if (this.#keep > 0 && lastId > this.#keep) {
          this.#delete.run(lastId - this.#keep, batch.length + MAX_DELETED_AT_ONCE);
        }
        return results;
      });
      this.#lastId = lastId;
      return appended;
    });
  }

  /**
   * The first messages after an id that an account may see, oldest first.
   *
   * @param id The last id already seen; 0 to start at the beginning.
   * @param accountId Who asks.
   * @param limit The most messages to return.
   */
  since(id: number, accountId: number, limit: number): StoredMessage[] {
    return storage(() => this.#after.all({ id, accountId, limit }).map(toMessage));
  }

  /**
   * The id of the oldest of the last `count` messages before `id` that an account may see; `id` where there is none.
   */
  firstOf(count: number, id: number, accountId: number): number {
    const limit = { id, accountId, limit: count };
    const ids = storage(() => this.#before.all(limit) as { id: number }[]);
    return ids.at(-1)?.id ?? id;
  }

  #append({ sender, ref, text, receiver, at }: NewMessage): AppendedMessage {
    // Asked first, because an insert that runs into UNIQUE uses an id up.
    const first = this.#find.get(sender.id, ref) as { id: number } | undefined;
    if (first !== undefined) return { id: first.id, repeated: true };
    const { id = null, name = null } = receiver ?? {};
    const result = this.#insert.run(at, sender.id, sender.name, ref, text, id, name);
    return { id: Number(result.lastInsertRowid), repeated: false };
  }
}

/** Merges what was said to all, to the member, and by the member; SQLite stops it at the limit. */
function visible(columns: string, range: string): string {
  const select = `SELECT ${columns} FROM messages`;
  return `${select} WHERE receiver_id IS NULL AND ${range}
    UNION ALL ${select} WHERE receiver_id = :accountId AND ${range}
    UNION ALL ${select} WHERE sender_id = :accountId AND receiver_id <> sender_id AND ${range}`;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function toMessage(row: Record<string, unknown>): StoredMessage {
  const { id, at, sender, text, receiver } = row as {
    id: number;
    at: number;
    sender: string;
    text: Uint8Array;
    receiver: string | null;
  };
  const message = { id, at, from: sender, text: decoder.decode(text) };
  return receiver === null ? message : { ...message, to: receiver };
}
