/**
 * Standard output and standard error as streams that never block the thread.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { Writable } from "node:stream";
import { escapeControl } from "../base/escape.ts";
import { InactivityTimer } from "../base/inactivity_timer.ts";
import { within } from "../base/within.ts";
import { writeAll } from "../conn/conn_streams.ts";
import type { TerminalOutput } from "./screen.ts";
import { wrapText } from "./text_layout.ts";

/** How long the end of a program waits for its output, in milliseconds: what takes longer is taken by nothing. */
export const LAST_OUTPUT_MS = 1000;

/** Standard output, standard error, or another place for bytes. */
export interface OutputFile {
  /** Writes some of the bytes, at least one, and gives how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Does so at once, however long that takes. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a screen is at the other end. */
  isTerminal(): boolean;
}

/** Options for {@linkcode AsyncOutput}. */
export interface AsyncOutputOptions {
  /**
   * Drops what cannot be written and continues: a full disk may have room later. Only the end of a reader is an error.
   *
   * @default {false}
   */
  isLossy?: boolean;
}

/**
 * A stream over standard output or standard error.
 *
 * `process.stdout` and `writeSync` block the thread while a terminal is stopped, its connection stalls, or a pipe is full:
 * then the program can neither serve nor be ended by a signal.
 */
export class AsyncOutput extends Writable implements TerminalOutput {
  /** Whether a screen is at the other end. */
  readonly isTTY: boolean;
  readonly #to: OutputFile;
  readonly #isLossy: boolean;
  #isExiting = false;
  /** The write under way takes too long. */
  #isStalled = false;

  /** Writes to a file. */
  constructor(to: OutputFile, { isLossy = false }: AsyncOutputOptions = {}) {
    super();
    this.#to = to;
    this.#isLossy = isLossy;
    this.isTTY = to.isTerminal();
    if (this.isTTY) process.stdout.on("resize", () => this.emit("resize"));
    for (const end of ["unload", "error", "unhandledrejection"]) {
      addEventListener(end, () => this.exit());
    }
  }

  /** The width of the screen, in cells. */
  get columns(): number | undefined {
    return consoleSize()?.columns;
  }

  /** The height of the screen, in rows. */
  get rows(): number | undefined {
    return consoleSize()?.rows;
  }

  /** The process may exit in this turn: what is written in it is written at once, or dropped where the output stalls. */
  exit(): void {
    this.#isExiting = true;
    setTimeout(() => this.#isExiting = false);
  }

  /** Writes a text or bytes, as every stream does. */
  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (!this.#isExiting || this.#isStalled) {
      return super.write(chunk, encoding as BufferEncoding, done as () => void);
    }
    this.#writeNow(Buffer.from(chunk as string));
    for (const callback of [encoding, done]) if (typeof callback === "function") callback();
    return true;
  }

  /** Writes one chunk, for the stream. */
  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    // It counts turns of the event loop: a process that got no time is not one whose terminal takes nothing.
    const timer = new InactivityTimer(LAST_OUTPUT_MS, {
      progress: () => 0,
      onInactive: () => this.#isStalled = true,
    });
    const end = (error?: Error) => {
      timer[Symbol.dispose]();
      this.#isStalled = false;
      done(error);
    };
    writeAll(this.#to, chunk).then(() => end(), (error) => {
      const isDropped = this.#isLossy && !(error instanceof Deno.errors.BrokenPipe);
      end(isDropped ? undefined : error);
    });
  }

  #writeNow(chunk: Uint8Array): void {
    try {
      for (let at = 0; at < chunk.length;) at += this.#to.writeSync(chunk.subarray(at));
    } catch {
      // The process exits: there is no other place to report it.
    }
  }
}

function consoleSize(): { columns: number; rows: number } | undefined {
  try {
    return Deno.consoleSize();
  } catch {
    return undefined; // The process has no terminal.
  }
}

/** Standard error, for messages of the program about itself. */
export const STANDARD_ERROR: AsyncOutput = new AsyncOutput(Deno.stderr, { isLossy: true });

// Without a listener, a reader of standard error that ends early would end the process.
STANDARD_ERROR.on("error", () => {});

/** Writes a line to standard error: escaped, and wrapped on a terminal. */
export function printError(text: string): void {
  const line = escapeControl(text);
  const { isTTY } = STANDARD_ERROR;
  const rows = isTTY ? wrapText(line, { columns: STANDARD_ERROR.columns || 80 }) : [line];
  STANDARD_ERROR.write(`${rows.join("\n")}\n`);
}

/** Waits at the end of a program until standard error has taken what was written, for 1 s at most. */
export async function errorsPrinted(): Promise<void> {
  const printed = new Promise<void>((resolve) => STANDARD_ERROR.write("", () => resolve()));
  await within(LAST_OUTPUT_MS, printed);
}
