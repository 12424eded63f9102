/**
 * The handler behind a log file: std's file handler with batched writes and rotation by size.
 *
 * @module
 */

import { FileHandler } from "@std/log/file-handler";
import type { LogRecord } from "@std/log/logger";
import { formatLine, type LogFields } from "./log_line.ts";

/** Options of a log file. */
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

const MODE = 0o600;
// The most that UTF-8 takes for each UTF-16 unit of a text.
const MAX_CHARACTER_BYTES = 3;

/**
 * Collects lines and gives them to std's handler together: one encoding and one write for hundreds of lines.
 *
 * std's own buffer is switched off, because its lines can be neither dropped nor counted when a write fails.
 */
export class BufferedHandler extends FileHandler {
  readonly #path: string;
  readonly #options: Required<LogFileOptions>;
  readonly #maxChars: number;
  #text = "";
  #lines = 0;
  #lost = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The file at the last look, to notice that it was replaced or cleared. */
  #seen: { ino: number | null; size: number } | undefined;
  /** Whether the last rotation failed, which was reported. */
  #isStuck = false;

  /** Opens nothing yet: `setup` does. */
  constructor(path: string, options: Required<LogFileOptions>) {
    super("INFO", { filename: path, bufferSize: 0, formatter: formatRecord });
    this.#path = path;
    this.#options = options;
    // So one batch always fits in one file.
    this.#maxChars = Math.min(64 * 1024, Math.floor(options.maxBytes / MAX_CHARACTER_BYTES));
  }

  /** Opens the file to append to, on a new line. Makes a missing folder with mode 0700; the file gets mode 0600. */
  override setup(): void {
    makePrivate(this.#path);
    super.setup();
    if (endsInsideLine(this.#path)) super.log("");
    this.#seen = Deno.statSync(this.#path);
  }

  /** Takes a line; it is written within `flushIntervalMs`. */
  override log(line: string): void {
    if (this.#text.length + line.length >= this.#maxChars) this.flush();
    this.#text += this.#lines === 0 ? line : `\n${line}`;
    this.#lines++;
    if (this.#lines === 1) queueMicrotask(() => this.#flushLater());
  }

  /** What is flushed in the turn it came in, as at a start, needs no timer: a thread's first takes Deno 5 ms to load. */
  #flushLater(): void {
    if (this.#lines === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), this.#options.flushIntervalMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Writes the lines, or counts them as lost. std calls this too, while it writes: then nothing is left to do. */
  override flush(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === 0 && this.#lost === 0) return;
    const text = this.#text, lines = this.#lines;
    let lost = this.#lost;
    this.#text = "";
    this.#lines = this.#lost = 0;
    try {
      this.#makeRoom(text);
      if (lost > 0) super.log(this.#ownLine("lines", { lost }));
      lost = 0;
      if (lines > 0) super.log(text);
    } catch {
      // A server must outlive its log: the loss is counted, and reported when writing works again.
      this.#lost = lost + lines;
      this.#seen = undefined;
    }
  }

  /** Opens the file anew if it is another one now, and rotates if `text` would make it too large. */
  #makeRoom(text: string): void {
    if (!this.#isInPlace()) this.#reopen();
    if (this.#isFull(text) && this.#rotate()) this.#reopen();
  }

  #isFull(text: string): boolean {
    const room = this.#options.maxBytes - this.#seen!.size - 1;
    // To count the bytes costs as much as to write them, so only where it matters.
    const fits = text.length * MAX_CHARACTER_BYTES <= room;
    return this.#seen!.size > 0 && !fits && byteLength(text) > room;
  }

  #isInPlace(): boolean {
    if (this.#seen === undefined) return false;
    try {
      const { ino, size } = Deno.statSync(this.#path);
      const inPlace = ino === this.#seen.ino && size >= this.#seen.size;
      this.#seen = { ino, size };
      return inPlace;
    } catch {
      return false; // It is gone or out of reach: opening it again makes it, or fails with the reason.
    }
  }

  #reopen(): void {
    this.destroy();
    this.setup();
  }

  /**
   * Renames `PATH` to `PATH.1`, `PATH.1` to `PATH.2` and so on; a folder of such a name is passed over. Where a rename
   * fails, the file keeps growing, which is reported once.
   */
  #rotate(): boolean {
    const { maxBackups } = this.#options;
    const backups = Array.from({ length: maxBackups }, (_, i) => `${this.#path}.${i + 1}`);
    const files = [this.#path, ...backups.filter((path) => kindOf(path) !== "other")];
    try {
      if (files.length === 1) throw new Error(`${backups[0]} is in the way`);
      for (let i = files.length - 1; i > 0; i--) {
        if (kindOf(files[i - 1]!) === "file") Deno.renameSync(files[i - 1]!, files[i]!);
      }
      this.#isStuck = false;
      return true;
    } catch (error) {
      if (!this.#isStuck) super.log(this.#ownLine("log not rotated", { error: String(error) }));
      this.#isStuck = true;
      return false;
    }
  }

  #ownLine(event: string, fields: LogFields): string {
    return formatLine(Date.now(), "WARN", this.#options.name, event, fields);
  }
}

function formatRecord({ args, datetime, levelName, loggerName, msg }: LogRecord): string {
  const fields = args[0] as LogFields | undefined;
  return formatLine(datetime.getTime(), levelName, loggerName, msg, fields);
}

/** Makes a file that only its owner can use, or makes one so that exists. */
function makePrivate(path: string): void {
  // Opening it would wait for its reader, without an end.
  if (isFifo(path)) throw new Deno.errors.NotSupported(`${path} is a named pipe`);
  const open = () => Deno.openSync(path, { append: true, create: true, mode: MODE });
  let file;
  try {
    file = open();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // Loaded where it is used: imported, it would cost every start of every server about 5 ms.
    const { dirname } = globalThis.process.getBuiltinModule("node:path");
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    file = open();
  }
  using _ = file;
  const { mode } = file.statSync();
  if (Deno.build.os !== "windows" && ((mode ?? 0) & 0o077) !== 0) Deno.chmodSync(path, MODE);
}

/** Whether the writer of this file was ended, or the disk was full, in the middle of a line. */
function endsInsideLine(path: string): boolean {
  using file = Deno.openSync(path);
  if (file.statSync().size === 0) return false;
  file.seekSync(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  return file.readSync(last) === 1 && last[0] !== 0x0a;
}

function isFifo(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    return false; // To open it shows what is wrong.
  }
}

function kindOf(path: string): "file" | "none" | "other" {
  try {
    return Deno.statSync(path).isFile ? "file" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
