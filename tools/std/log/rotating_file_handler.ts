/**
 * A log handler that begins a new file before the old one grows too large.
 *
 * @module
 */

import { FileHandler, type FileHandlerOptions, type LogMode } from "./file_handler.ts";
import type { LevelName } from "./levels.ts";

interface RotatingFileHandlerOptions extends FileHandlerOptions {
  maxBytes: number;
  maxBackupCount: number;
}

const encoder = new TextEncoder();

/**
 * Writes to a file of at most `maxBytes`, and keeps `maxBackupCount` older ones.
 *
 * Before a line that would exceed the limit, `log` becomes `log.1`, `log.1` becomes `log.2` and so on; the oldest is
 * overwritten. Mode `"w"` removes the backups at `setup`, `"x"` refuses to start if one exists.
 */
export class RotatingFileHandler extends FileHandler {
  readonly #filename: string;
  readonly #mode: LogMode;
  readonly #maxBytes: number;
  readonly #maxBackupCount: number;
  #sizeBytes = 0;

  /** Makes a handler of the level with that name; the file is opened by `setup`. */
  constructor(levelName: LevelName, options: RotatingFileHandlerOptions) {
    super(levelName, options);
    this.#filename = options.filename;
    this.#mode = options.mode ?? "a";
    this.#maxBytes = options.maxBytes;
    this.#maxBackupCount = options.maxBackupCount;
  }

  /** Opens the file. */
  override setup(): void {
    for (
      const [name, value] of [["maxBytes", this.#maxBytes], [
        "maxBackupCount",
        this.#maxBackupCount,
      ]]
    ) {
      if (Number(value) < 1) throw new Error(`"${name}" must be >= 1: received ${value}`);
    }
    super.setup();
    if (this.#mode === "a") this.#sizeBytes = Deno.statSync(this.#filename).size;
    else this.#startWithoutBackups();
  }

  /** Adds a line, in a new file if it would exceed the limit of this one. */
  override log(msg: string): void {
    const lineBytes = encoder.encode(msg).length + 1;
    if (this.#sizeBytes + lineBytes > this.#maxBytes) this.rotateLogFiles();
    super.log(msg);
    this.#sizeBytes += lineBytes;
  }

  /** Makes the file the first backup and begins a new one. */
  rotateLogFiles(): void {
    super.destroy();
    for (let i = this.#maxBackupCount; i >= 1; i--) {
      const older = i === 1 ? this.#filename : this.#backup(i - 1);
      if (exists(older)) Deno.renameSync(older, this.#backup(i));
    }
    super.setup();
    this.#sizeBytes = 0;
  }

  #startWithoutBackups(): void {
    for (let i = 1; i <= this.#maxBackupCount; i++) {
      const backup = this.#backup(i);
      if (!exists(backup)) continue;
      if (this.#mode === "w") {
        Deno.removeSync(backup);
      } else {
        this.destroy();
        throw new Deno.errors.AlreadyExists(`Backup log file ${backup} already exists`);
      }
    }
  }

  #backup(number: number): string {
    return `${this.#filename}.${number}`;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
