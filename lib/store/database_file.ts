/**
 * What a SQLite file can suffer from, told in words.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** What SQLite adds to a file's name while it is open: recent commits, and an index of them. */
export const WAL_FILES: readonly string[] = ["-wal", "-shm"];

/**
 * Throws if there is something that is no file, such as a folder or a pipe.
 *
 * @throws {Deno.errors.InvalidData} With what it is and what to do.
 */
export function refuseNoFile(path: string): void {
  if (!exists(path)) return;
  const { isFile, isDirectory } = Deno.lstatSync(path);
  if (isFile) return;
  const state = isDirectory ? "a folder" : "something else";
  throw new Deno.errors.InvalidData(
    `Cannot open the database ${path}: it is ${state}, not a file. ` +
      "Move it away to start with an empty file",
  );
}

/**
 * Throws unless the file is sound, ours, and of a schema this program knows. It only reads.
 *
 * @param path A file that is not empty.
 * @param applicationId What our files have in their header.
 * @param knownVersion The newest schema this program knows.
 * @throws {Deno.errors.InvalidData} With what is wrong and what to do.
 */
export function refuseForeignFile(path: string, applicationId: number, knownVersion: number): void {
  const created = WAL_FILES.map((suffix) => path + suffix).filter((file) => !exists(file));
  try {
    using sqlite = new DatabaseSync(path, { readOnly: true });
    const ask = (pragma: string) =>
      Object.values(sqlite.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
    const version = Number(ask("user_version"));
    if (ask("application_id") !== applicationId && (version > 0 || !isUnused(sqlite))) {
      throw invalid(path, "it belongs to another program", "Choose another file");
    }
    if (version > knownVersion) {
      throw invalid(
        path,
        `a newer version wrote it (schema ${version}, known up to ${knownVersion})`,
        "Use that version",
      );
    }
    const damage = ask("quick_check(1)");
    if (damage !== "ok") throw invalid(path, `it is damaged (${damage})`, "Restore a copy");
  } catch (error) {
    // Even reading makes these, and a refused file is left as it was found.
    created.filter(exists).forEach((file) => Deno.removeSync(file));
    throw explainSqliteError(error, `open the database ${path}`);
  }
}

/**
 * Tells whether somebody has the database open, in this process or another.
 *
 * @param path A file that `refuseForeignFile` has not refused.
 */
export function isOpenElsewhere(path: string): boolean {
  using sqlite = new DatabaseSync(path);
  try {
    // Whoever has a database in WAL mode open holds a shared lock on it all the time.
    sqlite.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch {
    return true; // or unreadable, which whoever opens it next will say in full
  }
}

/**
 * Turns an error of SQLite into the Deno error that says what happened, with the original as its
 * `cause`. Any other error is given back as it is.
 *
 * @param error What was caught.
 * @param action What could not be done, to follow "Cannot".
 */
export function explainSqliteError(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  const options = { cause: error };
  // The low byte is the primary code: https://sqlite.org/rescode.html
  switch (Number(error.errcode) & 0xff) {
    case 5: // SQLITE_BUSY
      return new Deno.errors.Busy(`Cannot ${action}: another program has locked it`, options);
    case 8: // SQLITE_READONLY
      return new Deno.errors.PermissionDenied(
        `Cannot ${action}: the file or its folder is read-only`,
        options,
      );
    case 10: // SQLITE_IOERR
      return new Error(`Cannot ${action}: the disk failed (${error.message})`, options);
    case 13: // SQLITE_FULL
      return new Error(`Cannot ${action}: the disk is full`, options);
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new Deno.errors.InvalidData(
        `Cannot ${action}: ${error.message}. ${advice("Restore a copy")}`,
        options,
      );
    default:
      return error;
  }
}

function isUnused(sqlite: DatabaseSync): boolean {
  return sqlite.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
}

function invalid(path: string, state: string, todo: string): Error {
  return new Deno.errors.InvalidData(`Cannot open the database ${path}: ${state}. ${advice(todo)}`);
}

function advice(todo: string): string {
  return `${todo}, or move this file away to start with an empty one`;
}

function exists(file: string): boolean {
  try {
    Deno.lstatSync(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
