import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";

const MAX_PER_ACCOUNT = 16;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Remembers the last 16 networks (see {@linkcode networkOf}) where each account proved who it is, until it is removed. */
export class FamiliarNetworks {
  #database: Database;
  #find: StatementSync;
  #isRecent: StatementSync;
  #newest: StatementSync;
  #insert: StatementSync;
  #trim: StatementSync;

  /** Works on a database with the tables of `AUTH_MIGRATIONS`; closing it is the caller's. */
  constructor(database: Database) {
    this.#database = database;
    this.#find = database.prepare(
      `SELECT 1 FROM familiar_networks JOIN accounts ON id = account_id
       WHERE key = ? AND network = ?`,
    );
    this.#isRecent = database.prepare(
      "SELECT 1 FROM familiar_networks WHERE account_id = ? AND network = ? AND used_at > ?",
    );
    this.#newest = database.prepare(
      "SELECT coalesce(max(used_at), 0) AS at FROM familiar_networks WHERE account_id = ?",
    );
    this.#insert = database.prepare("INSERT OR REPLACE INTO familiar_networks VALUES (?, ?, ?)");
    this.#trim = database.prepare(
      `DELETE FROM familiar_networks WHERE account_id = :id AND network NOT IN (
         SELECT network FROM familiar_networks WHERE account_id = :id
         ORDER BY used_at DESC LIMIT ${MAX_PER_ACCOUNT})`,
    );
  }

  /** Whether the account of a name has been there. */
  has(nameKey: string, network: string): boolean {
    return this.#find.get(nameKey, network) !== undefined;
  }

  /**
   * Notes that an account proved who it is there. It writes once a day at most, and nothing where the account is gone.
   *
   * @throws {Error} If storage is broken, as {@linkcode Database.transaction} says.
   */
  add(accountId: number, network: string): void {
    const now = Date.now();
    if (this.#isRecent.get(accountId, network, now - DAY_MS) !== undefined) return;
    this.#database.transaction(() => {
      const newest = this.#newest.get(accountId) as { at: number };
      // The last one used is the newest, also where the clock was set back.
      this.#insert.run(accountId, network, Math.max(now, newest.at + 1));
      this.#trim.run({ id: accountId });
    });
  }
}
