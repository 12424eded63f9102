import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../../lib/store/database.ts";
import { explainSqliteError } from "../../../lib/store/database_file.ts";
import { testInFolder } from "../../support/permissions.ts";

const NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";

/** Everything in a folder, to compare byte for byte. */
function contents(folder: string): Map<string, Uint8Array> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return new Map(names.map((name) => [name, Deno.readFileSync(`${folder}/${name}`)]));
}

/** Opens the file in `prepare`d condition, expects a refusal, and that nothing in the folder changed. */
function testRefusal(name: string, prepare: (path: string) => void, message: RegExp): void {
  testInFolder(`openDatabase() refuses ${name} and leaves it untouched`, (folder) => {
    const path = `${folder}/notes.db`;
    prepare(path);
    const before = contents(folder);

    const error = assertThrows(() => openDatabase(path, { migrations: [NOTES] }));

    assertInstanceOf(error, Deno.errors.InvalidData);
    assertMatch(error.message, /^Cannot open the database .*notes\.db: /);
    assertMatch(error.message, message);
    assertStringIncludes(error.message, "or move this file away to start with an empty one");
    assertEquals(contents(folder), before);
  });
}

/** A sound file with enough rows to have many pages. */
function fill(path: string, migrations = [NOTES]): void {
  using database = openDatabase(path, { migrations });
  const insert = database.prepare("INSERT INTO notes (text) VALUES (?)");
  database.transaction(() => {
    for (let row = 0; row < 1_000; row++) insert.run("text ".repeat(20));
  });
}

testRefusal("a newer file", (path) => fill(path, [NOTES, "", ""]), /schema 3, known up to 1/);

testRefusal("a newer file whose last commits are in its -wal", (path) => {
  using database = openDatabase(path, { migrations: [NOTES, ""] });
  database.transaction(() => database.prepare("INSERT INTO notes VALUES (1, 'a')").run());
  // A copy made while the file is open is what a killed process leaves behind.
  for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, `${path}.copy${suffix}`);
  database.close();
  for (const suffix of ["", "-wal"]) Deno.renameSync(`${path}.copy${suffix}`, path + suffix);
}, /schema 2, known up to 1/);

testRefusal("a text file", (path) => {
  Deno.writeTextFileSync(path, "Dear diary, this is no database.\n".repeat(100));
}, /not a database/);

testRefusal("a few bytes", (path) => Deno.writeTextFileSync(path, "hi"), /not a database/);

testRefusal("a truncated file", (path) => {
  fill(path);
  Deno.truncateSync(path, 4096 * 5);
}, /malformed|damaged/);

testRefusal("a file with a page overwritten", (path) => {
  fill(path);
  using file = Deno.openSync(path, { write: true });
  file.seekSync(4096 * 10, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(4096).fill(0xab));
}, /malformed|damaged/);

testRefusal("another program's database", (path) => {
  using sqlite = new DatabaseSync(path);
  sqlite.exec("CREATE TABLE bookmarks (url TEXT)");
}, /another program/);

testInFolder("openDatabase() recovers what a killed process had committed", (folder) => {
  const path = `${folder}/notes.db`;
  {
    using database = openDatabase(path, { migrations: [NOTES] });
    database.transaction(() => database.prepare("INSERT INTO notes VALUES (1, 'a')").run());
    for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, `${path}2${suffix}`);
  }

  using recovered = openDatabase(`${path}2`, { migrations: [NOTES] });

  assertEquals(recovered.prepare("SELECT text FROM notes").get()?.text, "a");
  recovered.close();
});

for (const suffix of ["", "-wal"]) {
  testInFolder(`Database.transaction() notices that notes.db${suffix} was deleted`, (folder) => {
    const path = `${folder}/notes.db`;
    using database = openDatabase(path, { migrations: [NOTES] });
    const insert = database.prepare("INSERT INTO notes (text) VALUES ('a')");
    Deno.renameSync(path + suffix, `${folder}/away`);

    for (const _attempt of [1, 2]) {
      const error = assertThrows(() => database.transaction(() => insert.run()));
      assertInstanceOf(error, Deno.errors.NotFound);
      assertStringIncludes(error.message, "deleted or replaced while open");
    }

    Deno.renameSync(`${folder}/away`, path + suffix);
    database.transaction(() => insert.run());
    assertEquals(database.prepare("SELECT count(*) AS n FROM notes").get()?.n, 1);
    database.close();
  });
}

testInFolder("Database.transaction() says that another program has locked the file", (folder) => {
  const path = `${folder}/notes.db`;
  using database = openDatabase(path, { migrations: [NOTES] });
  using other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");

  const start = performance.now();
  const error = assertThrows(() => database.transaction(() => {}));

  assertLess(performance.now() - start, 500); // It does not wait for the other program.
  assertInstanceOf(error, Deno.errors.Busy);
  assertStringIncludes(error.message, "another program has locked it");
  other.close();
  database.close();
});

testInFolder("openDatabase() names what stands in the file's way", (folder) => {
  Deno.writeTextFileSync(`${folder}/file`, "");

  assertThrows(() => openDatabase(folder, { migrations: [] }), Error, folder);
  assertThrows(() => openDatabase(`${folder}/file/a.db`, { migrations: [] }), Error, folder);
});

testInFolder("openDatabase() lets one server use a file, and other programs", (folder) => {
  const path = `${folder}/notes.db`;
  const open = (exclusive: boolean) => openDatabase(path, { migrations: [NOTES], exclusive });

  const first = open(true);
  assertThrows(
    () => open(true),
    Deno.errors.Busy,
    `${path}: another server uses it. Stop that one`,
  );
  open(false).close();
  first.close();
  open(true).close();
  fill(`${folder}/newer.db`, [NOTES, "", ""]);
  const newer = () => openDatabase(`${folder}/newer.db`, { migrations: [NOTES], exclusive: true });
  for (let attempt = 0; attempt < 2; attempt++) assertThrows(newer, Deno.errors.InvalidData);
});

Deno.test("explainSqliteError() tells by the primary code what is wrong", () => {
  const explained = (errcode: number) =>
    String(explainSqliteError(Object.assign(new Error("detail"), { errcode }), "write"));

  assertEquals(explained(5 | 2 << 8), "Busy: Cannot write: another program has locked it");
  assertEquals(explained(10 | 3 << 8), "Error: Cannot write: the disk failed (detail)");
  assertEquals(explained(19), "Error: detail");
  assertMatch(explained(8 | 4 << 8), /^PermissionDenied: Cannot write: .* read-only$/);
  assertMatch(explained(11 | 1 << 8), /^InvalidData: Cannot write: detail\. Restore a copy/);
});
