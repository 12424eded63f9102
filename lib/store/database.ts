import { DatabaseSync, type StatementSync } from "node:sqlite";
import { APPLICATION_ID, explainSqliteError, prepareFile, WAL_FILES } from "./database_file.ts";
import { lockFile } from "./private_file.ts";

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
  /**
   * Whether this must be the only server that uses the file: it holds the lock `PATH.lock` until it is closed or its
   * process has ended. Programs that do not ask for it can read and write the file all the same.
   *
   * @default {false}
   */
  exclusive?: boolean;
  /** Called after each transaction: the file can be written. */
  onCommitted?(): void;
}

// While this thread waits for another program's lock, it serves no client: another attempt is the caller's.
const BUSY_MS = 5;
// Nothing is served yet while a file is opened.
const OPENING_BUSY_MS = 1_000;
// What the -wal file is cut to when its commits are in the database: it grows while another program reads.
const MAX_IDLE_WAL_BYTES = 16 * 1024 * 1024;

/**
 * An open SQLite file. It owns the file's descriptors: close it, or hold it with `using`.
 *
 * Everything is synchronous, so nothing else runs in this thread between the start of a transaction
 * and its end.
 */
export class Database implements Disposable {
  #sqlite: DatabaseSync;
  #path: string;
  #identity: string;
  #onCommitted: () => void;
  #lock: Disposable | undefined;
  #begin: StatementSync;
  #commit: StatementSync;
  #rollback: StatementSync;

  /**
   * Wraps an open connection; callers use {@linkcode openDatabase}.
   *
   * @param sqlite The connection, owned from now on.
   * @param path Its file, or `":memory:"`.
   * @param onCommitted Called after each transaction.
   * @param lock Released when this is closed.
   */
  constructor(sqlite: DatabaseSync, path: string, onCommitted = () => {}, lock?: Disposable) {
    this.#sqlite = sqlite;
    this.#path = path;
    this.#onCommitted = onCommitted;
    this.#lock = lock;
    this.#identity = identityOf(path);
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
   * @throws {Deno.errors.Busy} If another program has locked the file, at once: try again from a timer.
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
      throw explainSqliteError(error, `write to the database ${this.#path}`);
    }
  }

  /** Closes the file. Closing twice is harmless. */
  close(): void {
    if (!this.#sqlite.isOpen) return;
    this.#sqlite.close();
    this.#lock?.[Symbol.dispose]();
  }

  /** Closes the file, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #refuseLostFiles(): void {
    if (identityOf(this.#path) === this.#identity) return;
    throw new Deno.errors.NotFound(
      `Cannot write to the database ${this.#path}: it was deleted or replaced while open; ` +
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
 * @throws {Deno.errors.Busy} If `exclusive`, and another server uses the file.
 */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  using resources = new DisposableStack();
  const { migrations, durable = false, exclusive = false, onCommitted } = options;
  if (path !== ":memory:") prepareFile(path, migrations.length);
  const lock = exclusive && path !== ":memory:" ? resources.use(lockFile(path)) : undefined;
  const sqlite = resources.use(new DatabaseSync(path));
  try {
    const pragma = (text: string) => Object.values(sqlite.prepare(`PRAGMA ${text}`).get() ?? {})[0];
    pragma(`busy_timeout = ${OPENING_BUSY_MS}`);
    pragma("journal_mode = WAL");
    pragma(`journal_size_limit = ${MAX_IDLE_WAL_BYTES}`);
    pragma("foreign_keys = ON");
    pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
    const version = () => Number(pragma("user_version"));
    const isOld = version() < migrations.length; // The first read also makes the -wal file.
    const database = new Database(sqlite, path, onCommitted, lock);
    // Asked again inside, because another process may have been faster.
    if (isOld) database.transaction(() => migrate(sqlite, database, migrations, version()));
    pragma(`busy_timeout = ${BUSY_MS}`);
    restrictToOwner(path);
    resources.move();
    return database;
  } catch (error) {
    throw explainSqliteError(error, `open the database ${path}`);
  }
}

function migrate(sqlite: DatabaseSync, database: Database, all: Migration[], version: number) {
  for (const step of all.slice(version)) {
    if (typeof step === "string") sqlite.exec(step);
    else step(database);
  }
  sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  sqlite.exec(`PRAGMA user_version = ${all.length}`);
}

function restrictToOwner(path: string): void {
  if (path === ":memory:" || Deno.build.os === "windows") return; // Windows has no such modes.
  for (const suffix of ["", ...WAL_FILES]) Deno.chmodSync(path + suffix, 0o600);
}

/** Tells the files that must not disappear from others that were later put under the same names. */
function identityOf(path: string): string {
  if (path === ":memory:") return "";
  try {
    return [path, `${path}-wal`].map((file) => Deno.statSync(file))
      .map(({ dev, ino }) => `${dev}:${ino}`).join();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
}
