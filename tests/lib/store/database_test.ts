import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { openDatabase } from "../../../lib/store/database.ts";

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

Deno.test("openDatabase() lets no write wait long for another program's", () => {
  using database = openDatabase(":memory:", { migrations: [NOTES] });

  assertEquals(database.prepare("PRAGMA busy_timeout").get(), { timeout: 5 });
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
