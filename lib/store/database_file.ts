/**
 * SQLite files that cannot be used, and errors of SQLite, in words.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { refuseLink } from "./private_file.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { dirname } from "node:path";

/** What SQLite adds to a file's name while it is open: recent commits, and an index of them. */
export const WAL_FILES: readonly string[] = ["-wal", "-shm"];
/** What an older SQLite, or one that was stopped, may have left beside it. */
const JOURNAL = "-journal";

/** Marks a file as ours in its header ("FRMD"), so that another program's database is refused. */
export const APPLICATION_ID = 0x46524d44;

/**
 * Makes the file and its folder if missing, and refuses one that is not sound, not ours, or of a newer schema; it is then
 * left as it was.
 *
 * @param path The file.
 * @param knownVersion The newest schema this program knows.
 * @throws {Deno.errors.InvalidData} With what is wrong and what to do.
 * @throws {Deno.errors.PermissionDenied} If it, or a file beside it, is a symbolic link.
 */
export function prepareFile(path: string, knownVersion: number): void {
  const action = `open the database ${path}`;
  const created = WAL_FILES.map((suffix) => path + suffix)
    .filter((file) => refuseLink(file, action) === null);
  refuseLink(path + JOURNAL, action);
  const found = refuseLink(path, action);
  if (found === null) {
    makePrivateFolder(dirname(path));
    // SQLite gives -wal and -shm the mode of the file they belong to, so that one must be right first.
    Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  } else if (!found.isFile) {
    const state = found.isDirectory ? "a folder" : "something else";
    throw new Deno.errors.InvalidData(
      `Cannot ${action}: it is ${state}, not a file. Move it away to start with an empty file`,
    );
  } else if (found.size > 0) {
    try {
      refuseForeign(path, knownVersion);
    } catch (error) {
      // Even reading makes these.
      created.filter((file) => refuseLink(file, action)).forEach((file) => Deno.removeSync(file));
      throw explainSqliteError(error, action);
    }
  }
}

/** Throws unless the file is sound, ours, and of a schema this program knows. It only reads. */
function refuseForeign(path: string, knownVersion: number): void {
  using sqlite = new DatabaseSync(path, { readOnly: true });
  const ask = (pragma: string) => Object.values(sqlite.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  const isUnused = () => sqlite.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
  const version = Number(ask("user_version"));
  if (ask("application_id") !== APPLICATION_ID && (version > 0 || !isUnused())) {
    throw invalid(path, "it belongs to another program", "Choose another file");
  }
  if (version > knownVersion) {
    const schema = `schema ${version}, known up to ${knownVersion}`;
    throw invalid(path, `a newer version wrote it (${schema})`, "Use that version");
  }
  const damage = ask("quick_check(1)");
  if (damage !== "ok") throw invalid(path, `it is damaged (${damage})`, "Restore a copy");
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

function invalid(path: string, state: string, todo: string): Error {
  return new Deno.errors.InvalidData(`Cannot open the database ${path}: ${state}. ${advice(todo)}`);
}

function advice(todo: string): string {
  return `${todo}, or move this file away to start with an empty one`;
}
