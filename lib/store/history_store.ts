/**
 * The messages of a chat, in their order, for ever.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { keyOfName } from "../chat/name.ts";

// SQLite gives the next id itself, one more than the last, and AUTOINCREMENT keeps it from ever
// using an id again. receiver_key is NULL for everybody, and every index ends with the id: each
// of the three streams a member may see is one range of one index, read in order.
/** The migration for {@linkcode openDatabase} that makes the table of messages. */
export const MESSAGES_SCHEMA = `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    sender_key TEXT NOT NULL,
    ref TEXT NOT NULL,
    text TEXT NOT NULL,
    receiver TEXT,
    receiver_key TEXT,
    UNIQUE (sender_key, ref)
  ) STRICT;
  CREATE INDEX messages_by_receiver ON messages (receiver_key);
  CREATE INDEX private_messages_by_sender ON messages (sender_key)
    WHERE receiver_key <> sender_key;
  CREATE TABLE message_era (era INTEGER NOT NULL) STRICT;
  INSERT INTO message_era VALUES (0);
`;

/** A message to store. All texts must be well-formed: a lone surrogate would come back as U+FFFD. */
export interface NewMessage {
  /** The sender's name. */
  from: string;
  /**
   * What the sender calls this message: for each sender, one `ref` is one message, for ever. Refs
   * that sort in the order they are made (a time, a counter) are stored faster than random ones.
   */
  ref: string;
  /** What was said. */
  text: string;
  /** The only reader; without it, everybody. */
  to?: string;
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
  /** What was said. */
  text: string;
  /** The only reader of a private message. */
  to?: string;
}

/** What became of a message to store. */
export interface AppendedMessage {
  /** Its id, or that of the message stored before under the same sender and `ref`. */
  id: number;
  /** Whether it had been stored before, so that nothing was stored now. */
  repeated: boolean;
}

/**
 * Keeps the messages of a chat and finds those that a member may see.
 *
 * - **Gapless.** Ids are 1, 2, 3 … over all messages, and a failed or repeated one uses none up. To a member the ids still
 *   jump where a private message of others stands; that tells them that it exists, and nothing else.
 * - **Private.** A message with `to` is seen by its two people only.
 * - **Flat.** Each question reads as many rows as it returns, give or take a few, however many there are.
 *
 * Names are compared as {@linkcode parseName} does. All methods are synchronous.
 */
export class HistoryStore {
  #database: Database;
  #find: StatementSync;
  #insert: StatementSync;
  #after: StatementSync;
  #before: StatementSync;
  #lastId: StatementSync;
  #nextEra: StatementSync;
  #era: StatementSync;

  /**
   * Works on a database that has had {@linkcode MESSAGES_SCHEMA}; closing it is the caller's.
   *
   * @param database Where messages are kept.
   */
  constructor(database: Database) {
    this.#database = database;
    this.#find = database.prepare("SELECT id FROM messages WHERE sender_key = ? AND ref = ?");
    this.#insert = database.prepare(
      `INSERT INTO messages (at, sender, sender_key, ref, text, receiver, receiver_key)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#after = database.prepare(visibleMessages("id > :id", "id"));
    this.#before = database.prepare(visibleMessages("id < :id", "id DESC"));
    this.#lastId = database.prepare("SELECT coalesce(max(id), 0) AS id FROM messages");
    this.#nextEra = database.prepare("UPDATE message_era SET era = era + 1");
    this.#era = database.prepare("SELECT era FROM message_era");
  }

  /**
   * Stores messages in their order, in one transaction: when this returns all are committed, when it throws none is.
   *
   * @param batch The messages. One that repeats a sender's `ref`, from this batch or any before, is not stored again.
   * @returns What became of each, in the same order.
   * @throws {TypeError} If `from` or `to` is no name.
   * @throws {Error} If storage is broken, as {@linkcode Database.transaction} says.
   */
  append(batch: readonly NewMessage[]): AppendedMessage[] {
    return this.#database.transaction(() => batch.map((message) => this.#append(message)));
  }

  /**
   * The first messages after an id, oldest first.
   *
   * @param id The last id already seen; 0 to start at the beginning.
   * @param forName Who asks.
   * @param limit The most messages to return.
   */
  since(id: number, forName: string, limit: number): StoredMessage[] {
    return this.#after.all({ id, key: this.#ownerOf(forName), limit }).map(toMessage);
  }

  /**
   * The last messages before an id, oldest first.
   *
   * @param id The oldest id already seen.
   * @param forName Who asks.
   * @param limit The most messages to return.
   */
  before(id: number, forName: string, limit: number): StoredMessage[] {
    return this.#before.all({ id, key: this.#ownerOf(forName), limit }).map(toMessage).reverse();
  }

  /**
   * The last messages, oldest first.
   *
   * @param forName Who asks.
   * @param limit The most messages to return.
   */
  latest(forName: string, limit: number): StoredMessage[] {
    return this.before(Number.MAX_SAFE_INTEGER, forName, limit);
  }

  /** The id of the last message of all, whoever may see it; 0 when there is none. */
  lastId(): number {
    return (this.#lastId.get() as { id: number }).id;
  }

  /**
   * Cuts the history off from the people in it, for when all accounts are removed: who takes one of
   * the names next is somebody else. They see none of the old private messages, which from now on nobody
   * sees, and their refs are their own. The messages stay.
   */
  disown(): void {
    this.#database.transaction(() => this.#nextEra.run());
  }

  #append({ from, ref, text, to, at }: NewMessage): AppendedMessage {
    const senderKey = this.#ownerOf(from);
    // Asked first, because an insert that runs into UNIQUE uses an id up.
    const first = this.#find.get(senderKey, ref) as { id: number } | undefined;
    if (first !== undefined) return { id: first.id, repeated: true };
    const receiverKey = to === undefined ? null : this.#ownerOf(to);
    const result = this.#insert.run(at, from, senderKey, ref, text, to ?? null, receiverKey);
    return { id: Number(result.lastInsertRowid), repeated: false };
  }

  /** Who bears a name in this era, which another program may have begun. */
  #ownerOf(name: string): string {
    const { era } = this.#era.get() as { era: number };
    return `${era}/${keyOfName(name)}`;
  }
}

/** Merges what was said to all, to the member, and by the member; SQLite stops it at the limit. */
function visibleMessages(range: string, order: string): string {
  // As a blob, because a text is read only up to its first U+0000.
  const select = "SELECT id, at, sender, CAST(text AS BLOB) AS text, receiver FROM messages";
  return `${select} WHERE receiver_key IS NULL AND ${range}
    UNION ALL ${select} WHERE receiver_key = :key AND ${range}
    UNION ALL ${select} WHERE sender_key = :key AND receiver_key <> sender_key AND ${range}
    ORDER BY ${order} LIMIT :limit`;
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
