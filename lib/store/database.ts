/**
 * One SQLite file, opened safely and brought up to date.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { dirname } from "node:path";
import {
  explainSqliteError,
  isOpenElsewhere,
  refuseForeignFile,
  refuseNoFile,
  WAL_FILES,
} from "./database_file.ts";
import { isLink } from "./private_file.ts";

/** Marks a file as ours in its header ("FRMD"), so that another program's database is refused. */
const APPLICATION_ID = 0x46524d44;

/** Brings a file from one schema version to the next: SQL, or a function where SQL cannot do it. */
export type Migration = string | ((database: Database) => void);

/** Options for {@linkcode openDatabase}. */
export interface DatabaseOptions {
  /** The schema. The list only ever grows at its end; a file's `user_version` is how many of them it has had. */
  migrations: Migration[];
  /**
   * Whether a commit also survives power loss, at about six times the price.
   *
   * Without it (`synchronous=NORMAL`) a commit has been handed to the operating system before
   * `transaction` returns, so killing this process, even with `kill -9`, loses nothing. Only a crash
   * of the whole machine can lose the last commits; it cannot damage the file. With it
   * (`synchronous=FULL`) every commit waits for the disk.
   *
   * @default {false}
   */
  durable?: boolean;
  /** Called when somebody else has the file open: that is safe for the file, but not for what its users think. */
  onShared?(): void;
  /** Called after each transaction: the file can be written. */
  onCommitted?(): void;
}

/**
 * An open SQLite file. It owns the file's descriptors: close it, or hold it with `using`.
 *
 * Everything is synchronous, so nothing else runs in this thread between the start of a transaction
 * and its end.
 */
export class Database implements Disposable {
  #sqlite: DatabaseSync;
  #files: string[];
  #identity: string;
  #onCommitted: () => void;
  #begin: StatementSync;
  #commit: StatementSync;
  #rollback: StatementSync;

  /**
   * Wraps an open connection; callers use {@linkcode openDatabase}.
   *
   * @param sqlite The connection, owned from now on.
   * @param files The files whose disappearance must stop all writing.
   * @param onCommitted Called after each transaction.
   */
  constructor(sqlite: DatabaseSync, files: string[], onCommitted: () => void = () => {}) {
    this.#sqlite = sqlite;
    this.#files = files;
    this.#onCommitted = onCommitted;
    this.#identity = identityOf(files);
    // Prepared also because the errors of `exec` come without their code.
    this.#begin = sqlite.prepare("BEGIN IMMEDIATE");
    this.#commit = sqlite.prepare("COMMIT");
    this.#rollback = sqlite.prepare("ROLLBACK");
  }

  /** Compiles a statement. Compile once and keep it: running it again is what is cheap. */
  prepare(sql: string): StatementSync {
    return this.#sqlite.prepare(sql);
  }

  /**
   * Runs `fn` so that either all its writes are committed when this returns, or none and this throws.
   * Every write belongs in here, because here a failing file is noticed and explained.
   *
   * @throws {TypeError} If `fn` returns a promise, or a transaction is already open.
   * @throws {Deno.errors.NotFound} If the file was deleted or replaced while open: SQLite itself
   * would go on writing into a file that no longer has a name.
   * @throws {Deno.errors.PermissionDenied} If the file cannot be written.
   * @throws {Deno.errors.Busy} If another process has locked the file for more than a second.
   * @throws {Deno.errors.InvalidData} If the file is found to be damaged.
   * @throws {Error} If the disk is full; and whatever `fn` throws.
   */
  transaction<T>(fn: () => T): T {
    if (this.#sqlite.isTransaction) {
      throw new TypeError("Cannot begin a transaction: another one is open");
    }
    try {
      this.#begin.run();
      const result = fn();
      if (result instanceof Promise) {
        throw new TypeError("Cannot commit a transaction: its function is asynchronous");
      }
      this.#refuseLostFiles();
      this.#commit.run();
      this.#onCommitted();
      return result;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#rollback.run();
      throw explainSqliteError(error, `write to the database ${this.#files[0] ?? ""}`);
    }
  }

  /** Closes the file. Closing twice is harmless. */
  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  /** Closes the file, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #refuseLostFiles(): void {
    if (identityOf(this.#files) === this.#identity) return;
    throw new Deno.errors.NotFound(
      `Cannot write to the database ${this.#files[0]}: it was deleted or replaced while open; ` +
        "put it back, or restart with a new one",
    );
  }
}

/**
 * Opens a SQLite file, made with its folder if missing, and applies the migrations it has not had, all
 * of them or none.
 *
 * The file and its `-wal` and `-shm` companions can be read and written by their owner only.
 * `":memory:"` opens a database without a file and needs no permission.
 *
 * @param path The file, or `":memory:"`.
 * @param options The schema, and how safe a commit is.
 * @throws {Deno.errors.InvalidData} If the file is damaged, not a database, another program's, or
 * written by a newer version, or no file but a folder, say; it is then left as it was, byte for byte.
 * @throws {Deno.errors.PermissionDenied} If the file or its folder cannot be written, or the file is a symbolic link.
 */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  const { migrations, durable = false } = options;
  const files = path === ":memory:" ? [] : [path, `${path}-wal`];
  if (files.length > 0) {
    prepareFile(path, migrations.length);
    if (options.onShared && isOpenElsewhere(path)) options.onShared();
  }
  const sqlite = new DatabaseSync(path);
  try {
    const pragma = (text: string) => Object.values(sqlite.prepare(`PRAGMA ${text}`).get() ?? {})[0];
    pragma("busy_timeout = 1000");
    pragma("journal_mode = WAL");
    pragma("foreign_keys = ON");
    pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
    const version = () => Number(pragma("user_version"));
    const isOld = version() < migrations.length; // The first read also makes the -wal file.
    const database = new Database(sqlite, files, options.onCommitted);
    // Asked again inside, because another process may have been faster.
    if (isOld) {
      database.transaction(() =>
        migrate(sqlite, database, migrations.slice(version()), migrations.length)
      );
    }
    if (files.length > 0) restrictToOwner(path);
    return database;
  } catch (error) {
    sqlite.close();
    throw explainSqliteError(error, `open the database ${path}`);
  }
}

function prepareFile(path: string, knownVersion: number): void {
  refuseLinks(path);
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  refuseNoFile(path);
  // SQLite gives -wal and -shm the mode of the file they belong to, so that one must be right first.
  Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 }).close();
  if (Deno.statSync(path).size > 0) refuseForeignFile(path, APPLICATION_ID, knownVersion);
}

function refuseLinks(path: string): void {
  const link = ["", ...WAL_FILES].map((suffix) => path + suffix).find(isLink);
  if (link === undefined) return;
  throw new Deno.errors.PermissionDenied(
    `Cannot open the database ${path}: ${link} is a symbolic link. Put the file itself there`,
  );
}

function migrate(sqlite: DatabaseSync, database: Database, missing: Migration[], version: number) {
  for (const step of missing) {
    if (typeof step === "string") sqlite.exec(step);
    else step(database);
  }
  sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  sqlite.exec(`PRAGMA user_version = ${version}`);
}

function restrictToOwner(path: string): void {
  if (Deno.build.os === "windows") return; // It has no such modes.
  for (const file of [path, ...WAL_FILES.map((suffix) => path + suffix)]) {
    Deno.chmodSync(file, 0o600);
  }
}

/** Tells files apart from others that were later put under the same names. */
function identityOf(files: string[]): string {
  try {
    return files.map((file) => Deno.statSync(file)).map(({ dev, ino }) => `${dev}:${ino}`).join();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
}
