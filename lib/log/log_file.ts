/**
 * A server's log: a file that rotates by size, and that can be shown and cleared while it is written.
 *
 * @module
 */

import { Logger } from "@std/log/logger";
import { GatheringHandler } from "./gathering_handler.ts";
import type { LogFields } from "./log_line.ts";

/** How {@linkcode LogFile.open} names and keeps its lines. */
export interface LogFileOptions {
  /** The server's name, which stands in every line. */
  name: string;
  /**
   * The file is renamed to `PATH.1` before it would grow beyond this.
   *
   * @default {10485760}
   */
  maxBytes?: number;
  /**
   * How many such backups are kept, from `PATH.1`, the newest, on; at least 1.
   *
   * @default {3}
   */
  maxBackups?: number;
  /**
   * The longest that a line waits in memory, in milliseconds.
   *
   * @default {200}
   */
  flushIntervalMs?: number;
}

/**
 * Writes a server's events to a file, one dated line each.
 *
 * - **Never in the way.** Logging never throws and never keeps the process alive. Lines that cannot be written
 *   (the disk is full, the folder is gone) are counted, and `lines lost=N` tells how many once it works again.
 * - **Soon on disk.** Lines are gathered for `flushIntervalMs` and written with one call; `flush`, `close` and
 *   the end of the program write at once. The end of a Worker does not (Deno tells it nothing), nor does an
 *   uncaught error: close the log first.
 * - **Shared.** The file is only ever appended to. Another thread or process may clear, remove or rename it:
 *   the next write notices and goes on in a file of that name.
 *
 * It needs to read and write the folder of the file, and no other permission.
 */
export class LogFile implements Disposable {
  /** Where the newest lines are. */
  readonly path: string;
  readonly #logger: Logger;
  readonly #handler: GatheringHandler;
  #isClosed = false;

  private constructor(path: string, options: LogFileOptions) {
    const { name, maxBytes = 10 * 1024 * 1024, maxBackups = 3, flushIntervalMs = 200 } = options;
    this.path = path;
    this.#handler = new GatheringHandler(path, { name, maxBytes, maxBackups, flushIntervalMs });
    this.#logger = new Logger(name, "INFO", { handlers: [this.#handler] });
    this.#handler.setup();
  }

  /**
   * Opens a log to add to, and makes its folder if it is missing.
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

  /** Notes what is expected to happen. */
  info(event: string, fields?: LogFields): void {
    this.#logger.info(event, fields);
  }

  /** Notes what a person may want to look at. */
  warn(event: string, fields?: LogFields): void {
    this.#logger.warn(event, fields);
  }

  /** Notes what went wrong. */
  error(event: string, fields?: LogFields): void {
    this.#logger.error(event, fields);
  }

  /** Gives the operating system every line so far; after `close`, does nothing. */
  flush(): void {
    if (!this.#isClosed) this.#handler.flush();
  }

  /** The last lines, oldest first, as `showLog` finds them. */
  async show(lines: number): Promise<string[]> {
    this.flush();
    const { showLog } = await import("./log_tail.ts");
    return showLog(this.path, lines);
  }

  /** Removes every line so far, as `clearLog` does. */
  async clear(): Promise<void> {
    this.flush();
    const { clearLog } = await import("./log_tail.ts");
    return clearLog(this.path);
  }

  /** Writes what waits and closes the file. Later lines are ignored; closing twice is harmless. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#logger.handlers = [];
    this.#handler.destroy();
  }

  /** The same as {@linkcode LogFile.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
