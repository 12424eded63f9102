/**
 * The table of accounts, and how it came to be.
 *
 * @module
 */
import { lookOf } from "../chat/confusables.ts";
import type { Database } from "./database.ts";

/** The migration for {@linkcode openDatabase} that makes the table of accounts. */
export const ACCOUNTS_SCHEMA = `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again
    key TEXT NOT NULL UNIQUE,               -- the name as it is compared
    name TEXT NOT NULL,                     -- the name as it is shown
    hash TEXT NOT NULL                      -- Argon2id, a PHC string
  ) STRICT;
`;

/**
 * The migration for {@linkcode openDatabase} that adds to each account what its name looks like, after
 * {@linkcode ACCOUNTS_SCHEMA}. Accounts that look alike already stay.
 */
export function addLooks(database: Database): void {
  for (const column of ["written", "capitals"]) {
    database.prepare(`ALTER TABLE accounts ADD COLUMN ${column} TEXT NOT NULL DEFAULT ''`).run();
    database.prepare(`CREATE INDEX accounts_by_${column} ON accounts (${column})`).run();
  }
  const update = database.prepare("UPDATE accounts SET written = ?, capitals = ? WHERE id = ?");
  for (const { id, name } of database.prepare("SELECT id, name FROM accounts").all()) {
    const { written, capitals } = lookOf(`${name}`);
    update.run(written, capitals, id as number);
  }
}
