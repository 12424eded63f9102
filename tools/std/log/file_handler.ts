/**
 * A log handler that writes lines to a file.
 *
 * @module
 */

import { BaseHandler, type BaseHandlerOptions } from "./base_handler.ts";
import { type LevelName, LogLevels } from "./levels.ts";
import type { LogRecord } from "./_record.ts";

/** Options of a {@linkcode FileHandler}. */
export interface FileHandlerOptions extends BaseHandlerOptions {
  /** The file's path. */
  filename: string;
  /**
   * How many bytes wait in memory before they are written.
   *
   * @default {4096}
   */
  bufferSize?: number;
}

const encoder = new TextEncoder();

/**
 * Appends each message to a file, as a line.
 *
 * Lines wait in a buffer: they are in the file after `flush()`, after a record above `ERROR`, when the buffer is full, after
 * `destroy()`, and when the program ends. `setup()` opens the file, `destroy()` closes it.
 */
export class FileHandler extends BaseHandler {
  readonly #filename: string;
  readonly #buffer: Uint8Array;
  #usedBytes = 0;
  #file: Deno.FsFile | undefined;
  readonly #onUnload = () => this.destroy();

  /** Makes a handler of the level with that name; the file is opened by `setup`. */
  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    const { filename, bufferSize = 4096 } = options;
    this.#filename = filename;
    this.#buffer = new Uint8Array(bufferSize);
  }

  /** Opens the file. */
  override setup(): void {
    this.#file = Deno.openSync(this.#filename, { append: true, create: true });
    this.#usedBytes = 0;
    addEventListener("unload", this.#onUnload);
  }

  /** Logs the record if its level passes; above `ERROR` it is in the file at once. */
  override handle(logRecord: LogRecord): void {
    super.handle(logRecord);
    if (logRecord.level > LogLevels.ERROR) this.flush();
  }

  /** Adds a line. */
  log(msg: string): void {
    const line = encoder.encode(msg + "\n");
    if (line.length > this.#buffer.length - this.#usedBytes) this.flush();
    if (line.length > this.#buffer.length) return this.#write(line);
    this.#buffer.set(line, this.#usedBytes);
    this.#usedBytes += line.length;
  }

  /** Writes the lines that wait in the buffer. */
  flush(): void {
    if (this.#file === undefined) return;
    this.#write(this.#buffer.subarray(0, this.#usedBytes));
    this.#usedBytes = 0;
  }

  /** Writes the lines that wait and closes the file. */
  override destroy(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
    removeEventListener("unload", this.#onUnload);
  }

  #write(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) {
      written += this.#file!.writeSync(bytes.subarray(written));
    }
  }
}
