/**
 * The tables of accounts, sessions and messages, and how older files become like them.
 *
 * @module
 */

import { lookOf } from "../chat/confusables.ts";
import type { Database, Migration } from "./database.ts";

const ACCOUNTS = `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used again
    key TEXT NOT NULL UNIQUE,               -- the name as it is compared
    name TEXT NOT NULL,                     -- the name as it is shown
    hash TEXT NOT NULL                      -- Argon2id, a PHC string
  ) STRICT;
`;

const SESSIONS_BY_KEY = `
  CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_account ON sessions (account_key);
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);
`;

const MESSAGES_BY_KEY = `
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

const FAMILIAR_NETWORKS = `
  CREATE TABLE familiar_networks (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, network)
  ) STRICT, WITHOUT ROWID;
`;

const SESSIONS = `
  ALTER TABLE sessions RENAME TO sessions_by_key;
  DROP INDEX sessions_by_account;
  DROP INDEX sessions_by_expiry;
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order in which they were made
    token_hash BLOB NOT NULL UNIQUE,        -- SHA-256: enough for a random secret
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO sessions (token_hash, account_id, created_at, expires_at)
    SELECT token_hash, accounts.id, created_at, expires_at
    FROM sessions_by_key JOIN accounts ON key = account_key ORDER BY created_at;
  DROP TABLE sessions_by_key;
  CREATE INDEX sessions_by_account ON sessions (account_id, expires_at);
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);
  CREATE TABLE meta (data_id BLOB NOT NULL) STRICT;
  INSERT INTO meta VALUES (randomblob(16));
`;

// A key was "ERA/NAME KEY", and the era rose when all users were removed. What belongs to an account gets its id; people
// who have none any more get negative numbers, which no account will ever have.
//
// AUTOINCREMENT keeps SQLite from ever using an id again. receiver_id is NULL in public messages, and every index ends with
// the id: each of the three streams that a member may see is one range of one index, read in order.
const MESSAGES = `
  CREATE TEMP TABLE people AS
    SELECT sender_key AS key FROM messages UNION SELECT receiver_key FROM messages
    WHERE receiver_key IS NOT NULL;
  CREATE TEMP TABLE owners (key TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO owners SELECT people.key, coalesce(accounts.id, -people.rowid)
    FROM people LEFT JOIN accounts ON people.key = (SELECT era FROM message_era) || '/' || accounts.key;
  ALTER TABLE messages RENAME TO messages_by_key;
  DROP INDEX messages_by_receiver;
  DROP INDEX private_messages_by_sender;
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    sender_id INTEGER NOT NULL,   -- an account, that may have been removed
    sender TEXT NOT NULL,         -- its name
    ref TEXT NOT NULL,
    text TEXT NOT NULL,
    receiver_id INTEGER,
    receiver TEXT,
    UNIQUE (sender_id, ref)
  ) STRICT;
  INSERT INTO messages
    SELECT messages_by_key.id, at, senders.id, sender, ref, text, receivers.id, receiver
    FROM messages_by_key JOIN owners AS senders ON senders.key = sender_key
      LEFT JOIN owners AS receivers ON receivers.key = receiver_key
    ORDER BY messages_by_key.id;
  DELETE FROM sqlite_sequence WHERE name = 'messages';
  UPDATE sqlite_sequence SET name = 'messages' WHERE name = 'messages_by_key';
  DROP TABLE messages_by_key;
  DROP TABLE message_era;
  DROP TABLE owners;
  DROP TABLE people;
  CREATE INDEX messages_by_receiver ON messages (receiver_id);
  CREATE INDEX private_messages_by_sender ON messages (sender_id) WHERE receiver_id <> sender_id;
`;

/** Adds to each account what its name looks like. Accounts that look alike already stay. */
function addLooks(database: Database): void {
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

/** The migrations of `auth.db`, for {@linkcode openDatabase}: the list only ever grows at its end. */
export const AUTH_MIGRATIONS: Migration[] = [
  ACCOUNTS,
  SESSIONS_BY_KEY,
  addLooks,
  FAMILIAR_NETWORKS,
  SESSIONS,
];

/** The migrations of `chat.db`, likewise. */
export const CHAT_MIGRATIONS: Migration[] = [
  ACCOUNTS,
  SESSIONS_BY_KEY,
  MESSAGES_BY_KEY,
  addLooks,
  FAMILIAR_NETWORKS,
  SESSIONS + MESSAGES,
];
