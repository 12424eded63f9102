import { assertEquals, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../../lib/store/database.ts";
import { HistoryStore } from "../../../lib/store/history_store.ts";
import { AUTH_MIGRATIONS, CHAT_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { stubClock } from "../../support/turns.ts";
import { testInFolder } from "../../support/permissions.ts";

// What the servers made before accounts were told apart by their ids.
const OLD_ACCOUNTS = `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_account ON sessions (account_key);
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);
  PRAGMA application_id = 0x46524d44;
`;
const OLD_MESSAGES = `
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
// An Anna and a Bob were forgotten; another Anna and another Bob have registered since.
const ROWS = `
  INSERT INTO accounts VALUES (3, 'bob', 'Bob', 'b'), (4, 'anna', 'Ａnna', 'a'), (5, 'straße', 'Straße', 's');
  UPDATE message_era SET era = 1;
  INSERT INTO messages (at, sender, sender_key, ref, text, receiver, receiver_key) VALUES
    (11, 'Anna', '0/anna', 'r1', 'old public', NULL, NULL),
    (12, 'Anna', '0/anna', 'r2', 'old secret', 'Bob', '0/bob'),
    (13, 'Ａnna', '1/anna', 'r1', 'new public', NULL, NULL),
    (14, 'Bob', '1/bob', 'r1', 'new secret', 'Ａnna', '1/anna'),
    (15, 'Ａnna', '1/anna', 'r2', 'note to self', 'Ａnna', '1/anna'),
    (16, 'Ａnna', '1/anna', 'r3', 'to street', 'Straße', '1/straße'),
    (17, 'Bob', '1/bob', 'r2', 'removed later', NULL, NULL);
  DELETE FROM messages WHERE at = 17;
  PRAGMA user_version = 3;
`;
const TOKEN = "A".repeat(43);

function oldFile(folder: string, sql: string): string {
  const path = `${folder}/old.db`;
  using sqlite = new DatabaseSync(path);
  sqlite.exec(sql);
  const hash = createHash("sha256").update(TOKEN).digest();
  sqlite.prepare("INSERT INTO sessions VALUES (?, 'anna', 100, 200)").run(hash);
  return path;
}

testInFolder("CHAT_MIGRATIONS keep accounts, sessions and messages of an older file", (folder) => {
  const path = oldFile(folder, OLD_ACCOUNTS + OLD_MESSAGES + ROWS);
  {
    using database = openDatabase(path, { migrations: CHAT_MIGRATIONS });
    const history = new HistoryStore(database);
    const seenBy = (id: number) => history.since(0, id, 99).map(({ text }) => text);
    const publicTexts = ["old public", "new public"];

    assertEquals(seenBy(4), [...publicTexts, "new secret", "note to self", "to street"]);
    assertEquals(seenBy(3), [...publicTexts, "new secret"]);
    assertEquals(seenBy(5), [...publicTexts, "to street"]);
    assertEquals(seenBy(6), publicTexts);
    assertEquals(history.since(3, 4, 1), [
      { id: 4, at: 14, from: "Bob", to: "Ａnna", text: "new secret" },
    ]);
    const say = (id: number, ref: string) => ({ sender: { id, name: "x" }, ref, text: "x", at: 1 });
    assertEquals(history.lastId, 7);
    assertEquals(history.append([say(4, "r1"), say(4, "r4"), say(6, "r1")]), [
      { id: 3, repeated: true },
      { id: 8, repeated: false },
      { id: 9, repeated: false },
    ]);
    using _clock = stubClock(150);
    const sessions = new SessionStore(database);
    assertEquals(sessions.resume(TOKEN)?.accountId, 4);
    const insert = "INSERT INTO accounts (key, name, hash) VALUES ('eve', 'Eve', '')";
    assertEquals(database.prepare(insert).run().lastInsertRowid, 6);
    database.prepare("DELETE FROM accounts").run();
    assertEquals(sessions.resume(TOKEN), null);
  }
});

testInFolder(
  "AUTH_MIGRATIONS keep accounts and sessions of an older file, and give it an id",
  (folder) => {
    const accounts =
      "INSERT INTO accounts VALUES (4, 'anna', 'Anna', 'a'); PRAGMA user_version = 2;";
    const path = oldFile(folder, OLD_ACCOUNTS + accounts);
    const idOf = (path: string) => {
      using database = openDatabase(path, { migrations: AUTH_MIGRATIONS });
      using _clock = stubClock(150);
      const sessions = new SessionStore(database);
      if (path !== ":memory:") assertEquals(sessions.resume(TOKEN)?.accountId, 4);
      return database.prepare("SELECT hex(data_id) AS id FROM meta").get()!["id"];
    };

    const ids = [idOf(path), idOf(path), idOf(":memory:")];

    assertEquals(ids[0], ids[1]);
    assertNotEquals(ids[0], ids[2]);
  },
);
