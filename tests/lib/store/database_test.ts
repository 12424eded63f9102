import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { stub } from "@std/testing/mock";
import { openDatabase } from "../../../lib/store/database.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";

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
      assertEquals(Deno.statSync(`${folder}/deep/er`).mode! & 0o777, 0o700);
    }
  }

  using again = openDatabase(path, { migrations: [NOTES] });

  assertEquals(texts(again), ["a"]);
  again.close();
  Deno.removeSync(folder, { recursive: true });
});

testWith(
  FILES,
  "openDatabase() narrows the modes of a file and a folder that others could read",
  () => {
    if (Deno.build.os === "windows") return;
    const folder = Deno.makeTempDirSync();
    const path = `${folder}/notes.db`;
    openDatabase(path, { migrations: [NOTES] }).close();
    Deno.chmodSync(path, 0o644);
    Deno.chmodSync(folder, 0o755);

    openDatabase(path, { migrations: [NOTES], exclusive: true }).close();

    assertEquals([path, folder].map((each) => Deno.statSync(each).mode! & 0o777), [0o600, 0o700]);
    Deno.removeSync(folder, { recursive: true });
  },
);

testWith(FILES, "openDatabase() makes a file that others could not read for a moment", () => {
  if (Deno.build.os === "windows") return;
  const folder = Deno.makeTempDirSync();
  using _chmod = stub(Deno, "chmodSync", () => {});

  openDatabase(`${folder}/notes.db`, { migrations: [NOTES] }).close();

  assertEquals(Deno.statSync(`${folder}/notes.db`).mode! & 0o777, 0o600);
  Deno.removeSync(folder, { recursive: true });
});

for (const suffix of ["", "-wal", "-shm", ".lock"]) {
  testWith(FILES, `openDatabase() refuses a link in place of notes.db${suffix}`, () => {
    const folder = Deno.makeTempDirSync();
    const [path, elsewhere] = [`${folder}/notes.db`, `${folder}/elsewhere`];
    if (suffix !== "") openDatabase(path, { migrations: [NOTES] }).close();
    Deno.writeTextFileSync(elsewhere, "");
    Deno.symlinkSync(elsewhere, `${path}${suffix}`);

    assertThrows(
      () => openDatabase(path, { migrations: [NOTES], exclusive: true }),
      Deno.errors.PermissionDenied,
      `${path}: ${path}${suffix} is a symbolic link. Put the file itself there`,
    );
    assertEquals(Deno.readTextFileSync(elsewhere), "");
    Deno.removeSync(folder, { recursive: true });
  });
}

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

testWith(FILES, "openDatabase() opens a file that is up to date while another writes", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/notes.db`;
  using first = openDatabase(path, { migrations: [NOTES] });

  first.transaction(() => openDatabase(path, { migrations: [NOTES] }).close());

  first.close();
  Deno.removeSync(folder, { recursive: true });
});

testWith(FILES, "openDatabase() leaves nothing open when a migration fails", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/notes.db`;

  assertThrows(() => openDatabase(path, { migrations: [NOTES, "nonsense"] }), Error, "nonsense");

  // Who closes a file last removes its companions.
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["notes.db"]);
  Deno.removeSync(folder, { recursive: true });
});

testWith(FILES, "Database.transaction() refuses to write when the file was replaced", () => {
  if (Deno.build.os === "windows") return; // It refuses to replace an open file.
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/notes.db`;
  using database = openDatabase(path, { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes VALUES (1, 'a')");
  Deno.copyFileSync(path, `${folder}/copy`);

  Deno.renameSync(`${folder}/copy`, path);

  assertThrows(() => database.transaction(() => insert.run()), Deno.errors.NotFound, "replaced");
  database.close();
  Deno.removeSync(folder, { recursive: true });
});

const NO_FILES: [what: string, make: (path: string) => unknown][] = [
  ["a folder", (path) => Deno.mkdirSync(path)],
  ["something else", (path) => new Deno.Command("mkfifo", { args: [path] }).outputSync()],
];

for (const [what, make] of NO_FILES) {
  testWith(PROCESSES, `openDatabase() refuses ${what}, and says what to do`, () => {
    if (Deno.build.os === "windows") return; // It has no mkfifo.
    const folder = Deno.makeTempDirSync();
    const path = `${folder}/notes.db`;
    make(path);

    assertThrows(
      () => openDatabase(path, { migrations: [NOTES] }),
      Deno.errors.InvalidData,
      `Cannot open the database ${path}: it is ${what}, not a file. Move it away`,
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["notes.db"]);
    Deno.removeSync(folder, { recursive: true });
  });
}
