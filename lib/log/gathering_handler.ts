/**
 * The handler behind a log file: std's file and rotation, with its own gathering of lines.
 *
 * @module
 */

import type { LogRecord } from "@std/log/logger";
import { RotatingFileHandler } from "@std/log/rotating-file-handler";
import { formatLine, type LogFields } from "./log_line.ts";

/** What {@linkcode GatheringHandler} keeps its file by. */
export interface GatheringHandlerOptions {
  /** The server's name, for the line about lost lines. */
  name: string;
  /** The file is renamed to `PATH.1` before it would grow beyond this. */
  maxBytes: number;
  /** How many such backups are kept; at least 1. */
  maxBackups: number;
  /** The longest that a line waits in memory, in milliseconds. */
  flushIntervalMs: number;
}

/**
 * Gathers lines, and hands them to std's handler together: one encoding and one write for hundreds of lines.
 *
 * std's own buffer is switched off, because what is in it when a write fails can be neither dropped nor counted.
 */
export class GatheringHandler extends RotatingFileHandler {
  readonly #path: string;
  readonly #name: string;
  readonly #flushIntervalMs: number;
  readonly #maxChars: number;
  #text = "";
  #lines = 0;
  #lost = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The file at the last look, to notice when it is another one or was cleared. */
  #seen: { ino: number | null; size: number } | undefined;

  /** Opens nothing yet: `setup` does. */
  constructor(path: string, options: GatheringHandlerOptions) {
    const { name, maxBytes, maxBackups, flushIntervalMs } = options;
    super("INFO", {
      filename: path,
      maxBytes,
      maxBackupCount: maxBackups,
      bufferSize: 0,
      formatter: formatRecord,
    });
    this.#path = path;
    this.#name = name;
    this.#flushIntervalMs = flushIntervalMs;
    // A character is at most three bytes of UTF-8, so what is gathered always fits in one file.
    this.#maxChars = Math.min(64 * 1024, Math.floor(maxBytes / 3));
  }

  /** Opens the file to add to, on a new line, and makes its folder if it is missing. */
  override setup(): void {
    try {
      super.setup();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      Deno.mkdirSync(nodePath().dirname(this.#path), { recursive: true });
      super.setup();
    }
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
    this.#timer = setTimeout(() => this.flush(), this.#flushIntervalMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Writes what was gathered, or counts it as lost. std calls this too, while it writes: then nothing is left to do. */
  override flush(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === 0 && this.#lost === 0) return;
    const text = this.#text, lines = this.#lines;
    let lost = this.#lost;
    this.#text = "";
    this.#lines = this.#lost = 0;
    try {
      if (!this.#isInPlace()) this.#reopen();
      if (lost > 0) super.log(formatLine(Date.now(), "WARN", this.#name, "lines", { lost }));
      lost = 0;
      if (lines > 0) super.log(text);
    } catch {
      // A server must outlive its log: the loss is counted, and told when writing works again.
      this.#lost = lost + lines;
      this.#seen = undefined;
    }
  }

  /** Writes what was gathered and closes the file; std calls it when the program ends. */
  override destroy(): void {
    try {
      super.destroy();
    } catch {
      // After a rotation that failed half-way std closes its file a second time: it is closed.
    }
  }

  #isInPlace(): boolean {
    if (this.#seen === undefined) return false;
    try {
      const { ino, size } = Deno.statSync(this.#path);
      const inPlace = ino === this.#seen.ino && size >= this.#seen.size;
      this.#seen = { ino, size };
      return inPlace;
    } catch {
      return false; // gone, or out of reach: opening it again makes it, or tells why not
    }
  }

  #reopen(): void {
    this.destroy();
    this.setup();
  }
}

function formatRecord({ args, datetime, levelName, loggerName, msg }: LogRecord): string {
  return formatLine(
    datetime.getTime(),
    levelName,
    loggerName,
    msg,
    args[0] as LogFields | undefined,
  );
}

/** Whether a program that wrote this file was ended, or the disk was full, in the middle of a line. */
function endsInsideLine(path: string): boolean {
  using file = Deno.openSync(path);
  if (file.statSync().size === 0) return false;
  file.seekSync(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  return file.readSync(last) === 1 && last[0] !== 0x0a;
}

/** Loaded where it is used: imported, it would cost every start of every server about 5 ms. */
function nodePath(): typeof import("node:path") {
  return globalThis.process.getBuiltinModule("node:path");
}
