/**
 * A server's log: a file that rotates by size, and that can be shown and cleared while it is written.
 *
 * @module
 */

import { Logger } from "@std/log/logger";
import { BufferedHandler, type LogFileOptions } from "./buffered_handler.ts";
import { type LogFields, plainLine } from "./log_line.ts";

/**
 * Writes a server's events to a file, one dated line each.
 *
 * - **Never in the way.** Logging never throws and never keeps the process alive. Lines that cannot be written
 *   (the disk is full, the folder is gone) are counted, and `lines lost=N` reports them once writing works again.
 *   Where a backup cannot be renamed, the file keeps growing, and `log not rotated` says why.
 * - **Soon on disk.** Lines are collected for `flushIntervalMs` and written with one call; `flush`, `close` and
 *   the end of the program write at once. The end of a Worker does not (Deno gives it no event), nor does an
 *   uncaught error: close the log first.
 * - **Shared.** The file is only ever appended to. Another thread or process may clear, remove or rename it:
 *   the next write notices and continues in a file of that name.
 * - **Private.** The file has mode 0600, a folder that it makes 0700.
 *
 * It needs to read and write the folder of the file, and no other permission.
 */
export class LogFile implements Disposable {
  /** Where the newest lines are. */
  readonly path: string;
  readonly #options: LogFileOptions;
  readonly #logger: Logger;
  readonly #handler: BufferedHandler;
  #audit: LogFile | undefined;
  #isClosed = false;

  private constructor(path: string, options: LogFileOptions) {
    const { name, maxBytes = 10 * 1024 * 1024, maxBackups = 3, flushIntervalMs = 200 } = options;
    if (maxBytes < 1 || maxBackups < 1) throw new RangeError("give at least 1 byte and 1 backup");
    this.path = path;
    this.#options = options;
    this.#handler = new BufferedHandler(path, { name, maxBytes, maxBackups, flushIntervalMs });
    this.#logger = new Logger(name, "INFO", { handlers: [this.#handler] });
    this.#handler.setup();
  }

  /**
   * Opens a log to append to, and makes its folder if it is missing.
   *
   * @throws {Error} If the folder cannot be made or the file not be written: an error of the class that the system
   * gave, such as {@linkcode Deno.errors.PermissionDenied}, which is its `cause`.
   */
  static open(path: string, options: LogFileOptions): LogFile {
    try {
      return new LogFile(path, options);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const SameError = error.constructor as ErrorConstructor;
      throw new SameError(`Cannot open the log file ${path}: ${error.message}`, { cause: error });
    }
  }

  /** Logs what is expected to happen. */
  info(event: string, fields?: LogFields): void {
    this.#logger.info(event, fields);
  }

  /**
   * Logs an event with its fields, as `data sent conn=3 bytes=5`: printable ASCII, where no text is a peer's. For the
   * lines of each message: std's logger, which makes a record of each, takes five times as long.
   */
  line(text: string): void {
    if (!this.#isClosed) this.#handler.log(plainLine(Date.now(), "INFO", this.#options.name, text));
  }

  /** Logs what a person may want to look at. */
  warn(event: string, fields?: LogFields): void {
    this.#logger.warn(event, fields);
  }

  /** Logs what went wrong. */
  error(event: string, fields?: LogFields): void {
    this.#logger.error(event, fields);
  }

  /**
   * Logs a login attempt: here and in the audit log beside this file (`chat.audit.log`), from which no other events can
   * push it out.
   */
  audit(level: "info" | "warn", event: string, fields?: LogFields): void {
    this[level](event, fields);
    if (this.#isClosed) return;
    try {
      this.#audit ??= LogFile.open(auditPath(this.path), this.#options);
      this.#audit[level](event, fields);
    } catch {
      // The audit log cannot be opened now, as on a full disk: the line is in this one.
    }
  }

  /** Gives the operating system every line so far; after `close`, does nothing. */
  flush(): void {
    if (this.#isClosed) return;
    this.#handler.flush();
    this.#audit?.flush();
  }

  /** Writes what waits and closes the file. Later lines are ignored; closing twice is harmless. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#logger.handlers = [];
    try {
      this.#handler.destroy();
    } catch {
      // The file is closed already: opening it anew has failed.
    }
    this.#audit?.close();
  }

  /** The same as {@linkcode LogFile.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Where the login attempts of a log are kept. */
export function auditPath(logPath: string): string {
  return `${logPath.replace(/\.log$/, "")}.audit.log`;
}
