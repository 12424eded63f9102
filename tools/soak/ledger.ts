/**
 * What the chat promised and did, as its clients saw it; and whether its database agrees.
 *
 * @module
 */
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore, type StoredMessage } from "../../lib/store/history_store.ts";
import { CHAT_MIGRATIONS } from "../../lib/store/migrations.ts";

/** What one member was told, in little memory however long it lasts. */
export class Told {
  /** Whose it is. */
  readonly name: string;
  /** The first id. */
  first = 0;
  /** The last id. */
  last = 0;
  /** How many messages. */
  count = 0;
  /** Stands for all ids and texts in their order. */
  digest = 0;

  /** Nothing yet. */
  constructor(name: string) {
    this.name = name;
  }

  /** Adds one message; gives what is wrong with it, if anything is. */
  add(id: number, text: string): string | undefined {
    const problem = id <= this.last ? `${this.name} was told ${id} after ${this.last}` : undefined;
    this.first ||= id;
    this.last = id;
    this.count++;
    this.digest = Math.imul(this.digest ^ id, 0x01000193);
    for (let i = 0; i < text.length; i++) {
      this.digest = Math.imul(this.digest ^ text.charCodeAt(i), 0x01000193);
    }
    return problem;
  }
}

/** All that was acknowledged and told, and all that went wrong. */
export class Ledger {
  /** What was acknowledged: the text, by id. */
  readonly said = new Map<number, string>();
  /** What each member was told. */
  readonly told: Told[] = [];
  /** What went wrong, in words. */
  readonly problems: string[] = [];
  /** How many of each kind of trouble were made. */
  readonly trouble: { [kind: string]: number } = {};

  /** Notes an acknowledgement. */
  note(id: number, text: string): void {
    const before = this.said.get(id);
    if (before !== undefined && before !== text) {
      this.problems.push(`${id} was given to two messages`);
    }
    this.said.set(id, text);
  }

  /** How many messages were told in all. */
  get delivered(): number {
    return this.told.reduce((sum, { count }) => sum + count, 0);
  }

  /** Compares all of it with a database that no server has open; what differs is a problem. */
  compareWith(path: string): void {
    using database = openDatabase(path, { migrations: CHAT_MIGRATIONS });
    const check = database.prepare("PRAGMA integrity_check").get() as { integrity_check: string };
    if (check.integrity_check !== "ok") this.problems.push(`database: ${check.integrity_check}`);
    const rows = database.prepare("SELECT id, text FROM messages ORDER BY id").all();
    const texts = new Map(rows.map(({ id, text }) => [id as number, text as string]));
    if (rows.at(-1)?.id !== rows.length && rows.length > 0) this.problems.push("ids have gaps");
    for (const [id, text] of this.said) {
      if (texts.get(id) !== text) this.problems.push(`${id} was said and is not stored`);
    }
    const history = new HistoryStore(database);
    const account = database.prepare("SELECT id FROM accounts WHERE name = ?");
    for (const told of this.told) {
      const { id = 0 } = (account.get(told.name) ?? {}) as { id?: number };
      this.#compare(told, history.since(told.first - 1, id, 1e9));
    }
  }

  #compare(told: Told, stored: StoredMessage[]): void {
    const expected = new Told(told.name);
    // What was taken from a flood before it ended may be said when the members have left.
    for (const { id, text } of stored) if (id <= told.last) expected.add(id, text);
    if (told.count === expected.count && told.digest === expected.digest) return;
    const counts = `${told.count} messages from ${told.first} to ${told.last}`;
    this.problems.push(`${told.name} was told ${counts}, stored are ${expected.count} others`);
  }
}
