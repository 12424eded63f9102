import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { openDatabase } from "../../lib/database.ts";
import { FILES, testWith } from "../permissions.ts";

const NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT";

function texts(database: ReturnType<typeof openDatabase>): unknown[] {
  return database.prepare("SELECT text FROM notes ORDER BY id").all().map((row) => row.text);
}

Deno.test("openDatabase() opens an in-memory database without any permission", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });

  database.transaction(() => database.prepare("INSERT INTO notes VALUES (1, 'a')").run());

  assertEquals(texts(database), ["a"]);
});

Deno.test("openDatabase() applies each migration once and in order", () => {
  using database = openDatabase(":memory:", {
    migrations: [NOTES, "INSERT INTO notes VALUES (1, 'a')", "UPDATE notes SET text = text || 'b'"],
  });

  assertEquals(texts(database), ["ab"]);
});

Deno.test("openDatabase() enforces foreign keys", () => {
  using database = openDatabase(":memory:", {
    migrations: [NOTES, "CREATE TABLE marks (note INTEGER REFERENCES notes (id)) STRICT"],
  });

  assertThrows(
    () => database.transaction(() => database.prepare("INSERT INTO marks VALUES (7)").run()),
    Error,
    "FOREIGN KEY",
  );
});

Deno.test("Database.transaction() undoes every write when its function throws", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");

  const error = assertThrows(() =>
    database.transaction(() => {
      insert.run("a");
      throw new RangeError("stop");
    })
  );

  assertInstanceOf(error, RangeError);
  assertEquals(texts(database), []);
});

Deno.test("Database.transaction() refuses an asynchronous function and undoes its writes", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");

  assertThrows(
    () => database.transaction(() => Promise.resolve(insert.run("a"))),
    TypeError,
    "asynchronous",
  );

  assertEquals(texts(database), []);
});

Deno.test("Database.transaction() refuses to nest and leaves the outer one alone", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");

  database.transaction(() => {
    insert.run("outer");
    assertThrows(() => database.transaction(() => {}), TypeError, "another one is open");
  });

  assertEquals(texts(database), ["outer"]);
});

Deno.test("Database.transaction() says that the disk is full and keeps what was committed", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
  database.transaction(() => insert.run("before"));
  database.prepare("PRAGMA max_page_count = 1").get();

  assertThrows(
    () => database.transaction(() => insert.run("x".repeat(100_000))),
    Error,
    "the disk is full",
  );

  assertEquals(texts(database), ["before"]);
  database.prepare("PRAGMA max_page_count = 1000").get();
  database.transaction(() => insert.run("after"));
  assertEquals(texts(database), ["before", "after"]);
});

Deno.test("Database.transaction() says that the file is read-only", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });
  database.prepare("PRAGMA query_only = ON").run();

  const insert = database.prepare("INSERT INTO notes (text) VALUES ('a')");
  const error = assertThrows(() => database.transaction(() => insert.run()));

  assertInstanceOf(error, Deno.errors.PermissionDenied);
  assertStringIncludes(error.message, "read-only");
});

Deno.test("Database.close() may be called twice", () => {
  const database = openDatabase(":memory:", { migrations: [] });

  database.close();
  database.close();

  assertThrows(() => database.prepare("SELECT 1"));
});

testWith(FILES, "openDatabase() keeps data, and makes folder and files for the owner only", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/deep/er/notes.db`;
  {
    using database = openDatabase(path, { migrations: [NOTES] });
    database.transaction(() => database.prepare("INSERT INTO notes VALUES (1, 'a')").run());
    const modes = [...Deno.readDirSync(`${folder}/deep/er`)]
      .map(({ name }) => [name, Deno.statSync(`${folder}/deep/er/${name}`).mode! & 0o777]);
    if (Deno.build.os !== "windows") {
      const expected = ["notes.db", "notes.db-shm", "notes.db-wal"].map((name) => [name, 0o600]);
      assertEquals(modes.sort(), expected);
    }
  }

  using again = openDatabase(path, { migrations: [NOTES] });

  assertEquals(texts(again), ["a"]);
  again.close();
  Deno.removeSync(folder, { recursive: true });
});

testWith(FILES, "openDatabase() narrows the mode of a file that others could read", () => {
  if (Deno.build.os === "windows") return;
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/notes.db`;
  openDatabase(path, { migrations: [NOTES] }).close();
  Deno.chmodSync(path, 0o644);

  openDatabase(path, { migrations: [NOTES] }).close();

  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  Deno.removeSync(folder, { recursive: true });
});

testWith(FILES, "openDatabase() syncs every commit only when durable", () => {
  const folder = Deno.makeTempDirSync();
  const levels = [false, true].map((durable) => {
    using database = openDatabase(`${folder}/${durable}.db`, { migrations: [], durable });
    return database.prepare("PRAGMA synchronous").get()?.synchronous;
  });

  assertEquals(levels, [1, 2]);
  Deno.removeSync(folder, { recursive: true });
});

testWith(FILES, "openDatabase() upgrades a file, or leaves it at its old version", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/notes.db`;
  openDatabase(path, { migrations: [NOTES] }).close();
  const broken = ["INSERT INTO notes VALUES (1, 'half')", "INSERT INTO nowhere VALUES (1)"];

  assertThrows(() => openDatabase(path, { migrations: [NOTES, ...broken] }), Error, "nowhere");

  using database = openDatabase(path, { migrations: [NOTES, "ALTER TABLE notes ADD at INTEGER"] });
  assertEquals(texts(database), []);
  assert("at" in database.prepare("SELECT count(*), max(at) AS at FROM notes").get()!);
  database.close();
  Deno.removeSync(folder, { recursive: true });
});
