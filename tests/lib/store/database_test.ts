import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { stub } from "@std/testing/mock";
import { openDatabase } from "../../../lib/store/database.ts";
import { PROCESSES, testInFolder } from "../../support/permissions.ts";

const NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT";

function texts(database: ReturnType<typeof openDatabase>): unknown[] {
  return database.prepare("SELECT text FROM notes ORDER BY id").all().map((row) => row.text);
}

Deno.test("openDatabase() applies each migration once and in order", () => {
  using database = openDatabase(":memory:", {
    migrations: [NOTES, "INSERT INTO notes VALUES (1, 'a')", "UPDATE notes SET text = text || 'b'"],
  });

  assertEquals(texts(database), ["ab"]);
  assertEquals(database.prepare("PRAGMA busy_timeout").get(), { timeout: 5 });
});

Deno.test("Database.transaction() undoes every write when it fails", () => {
  const database = openDatabase(":memory:", {
    migrations: [NOTES, "CREATE TABLE marks (note INTEGER REFERENCES notes (id)) STRICT"],
  });
  const insert = database.prepare("INSERT INTO notes (text) VALUES ('a')");
  const mark = database.prepare("INSERT INTO marks VALUES (7)");
  const fail = () => {
    throw new RangeError("stop");
  };
  const table: [fn: () => unknown, error: typeof Error, text: string][] = [
    [fail, RangeError, "stop"],
    [() => Promise.resolve(), TypeError, "asynchronous"],
    [() => mark.run(), Error, "FOREIGN KEY"],
  ];

  for (const [fn, error, text] of table) {
    assertThrows(() => database.transaction(() => (insert.run(), fn())), error, text);
    assertEquals(texts(database), []);
  }

  database.close();
  database.close();
  assertThrows(() => database.prepare("SELECT 1"));
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

testInFolder(
  "openDatabase() keeps data, and makes folder and files for the owner only",
  (folder) => {
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
  },
);

testInFolder(
  "openDatabase() narrows the modes of a file and a folder that others could read",
  (folder) => {
    if (Deno.build.os === "windows") return;
    const path = `${folder}/notes.db`;
    openDatabase(path, { migrations: [NOTES] }).close();
    Deno.chmodSync(path, 0o644);
    Deno.chmodSync(folder, 0o755);

    openDatabase(path, { migrations: [NOTES], exclusive: true }).close();

    assertEquals([path, folder].map((each) => Deno.statSync(each).mode! & 0o777), [0o600, 0o700]);
  },
);

testInFolder("openDatabase() makes a file that others could not read for a moment", (folder) => {
  if (Deno.build.os === "windows") return;
  using _chmod = stub(Deno, "chmodSync", () => {});

  openDatabase(`${folder}/notes.db`, { migrations: [NOTES] }).close();

  assertEquals(Deno.statSync(`${folder}/notes.db`).mode! & 0o777, 0o600);
});

for (const suffix of ["", "-wal", "-shm", "-journal", ".lock"]) {
  testInFolder(`openDatabase() refuses a link in place of notes.db${suffix}`, (folder) => {
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
  });
}

testInFolder("openDatabase() syncs every commit only when durable", (folder) => {
  const levels = [false, true].map((durable) => {
    using database = openDatabase(`${folder}/${durable}.db`, { migrations: [], durable });
    return database.prepare("PRAGMA synchronous").get()?.synchronous;
  });

  assertEquals(levels, [1, 2]);
});

testInFolder("openDatabase() upgrades a file, or leaves it at its old version", (folder) => {
  const path = `${folder}/notes.db`;
  openDatabase(path, { migrations: [NOTES] }).close();
  const broken = ["INSERT INTO notes VALUES (1, 'half')", "INSERT INTO nowhere VALUES (1)"];

  assertThrows(() => openDatabase(path, { migrations: [NOTES, ...broken] }), Error, "nowhere");
  // The one that closes a file last removes its companions: nothing is left open.
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["notes.db"]);

  using database = openDatabase(path, { migrations: [NOTES, "ALTER TABLE notes ADD at INTEGER"] });
  assertEquals(texts(database), []);
  assert("at" in database.prepare("SELECT count(*), max(at) AS at FROM notes").get()!);
  database.close();
});

testInFolder("openDatabase() opens a file that is up to date while another writes", (folder) => {
  const path = `${folder}/notes.db`;
  using first = openDatabase(path, { migrations: [NOTES] });

  first.transaction(() => openDatabase(path, { migrations: [NOTES] }).close());

  first.close();
});

testInFolder("Database.transaction() refuses to write when the file was replaced", (folder) => {
  if (Deno.build.os === "windows") return; // It refuses to replace an open file.
  const path = `${folder}/notes.db`;
  using database = openDatabase(path, { migrations: [NOTES] });
  const insert = database.prepare("INSERT INTO notes VALUES (1, 'a')");
  Deno.copyFileSync(path, `${folder}/copy`);

  Deno.renameSync(`${folder}/copy`, path);

  assertThrows(() => database.transaction(() => insert.run()), Deno.errors.NotFound, "replaced");
  database.close();
});

const NO_FILES: [what: string, make: (path: string) => unknown][] = [
  ["a folder", (path) => Deno.mkdirSync(path)],
  ["something else", (path) => new Deno.Command("mkfifo", { args: [path] }).outputSync()],
];

for (const [what, make] of NO_FILES) {
  testInFolder(`openDatabase() refuses ${what}, and says what to do`, (folder) => {
    if (Deno.build.os === "windows") return; // It has no mkfifo.
    const path = `${folder}/notes.db`;
    make(path);

    assertThrows(
      () => openDatabase(path, { migrations: [NOTES] }),
      Deno.errors.InvalidData,
      `Cannot open the database ${path}: it is ${what}, not a file. Move it away`,
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["notes.db"]);
  }, PROCESSES);
}
