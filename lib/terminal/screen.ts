/**
 * The output side of a terminal: a line being typed at the bottom, and printed lines above it.
 *
 * @module
 */

import type { Writable } from "node:stream";
import { count } from "../base/numbers.ts";
import { escapeAllButColors, layOutLine, type WrapOptions, wrapText } from "./text_layout.ts";

/** Where a terminal writes, such as `process.stdout`. */
export interface TerminalOutput extends Writable {
  /** Whether a screen is at the other end. */
  isTTY?: boolean;
  /** The width of the screen, in cells. */
  columns?: number | undefined;
  /** The height of the screen, in rows. */
  rows?: number | undefined;
}

/** How a printed text continues in the next row. */
export type PrintOptions = Omit<WrapOptions, "columns">;

/** The line at the bottom of the screen. */
export interface BottomLine {
  /** What stands before the text; may hold colour codes, other control characters are escaped. */
  prompt: string;
  /** The text. */
  text: string;
  /** Where the cursor is: an index into `text`. */
  cursor: number;
}

const EMPTY_LINE: BottomLine = { prompt: "", text: "", cursor: 0 };
const BRACKETED_PASTE_ON = "\x1b[?2004h";
const BRACKETED_PASTE_OFF = "\x1b[?2004l";
// The space is for tmux, which scrolls the rows into its history when all of the screen is cleared.
const CLEAR_FROM_ROW = "\r \x1b[J\r";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
// What is printed while the output takes nothing.
const MAX_WAITING_CHARS = 1024 * 1024;

/**
 * Draws the bottom line and prints above it.
 *
 * Everything of one turn of the event loop leaves in one write, so that a burst neither flickers nor costs a drawing a
 * line. Where `draws` is false there is no bottom line: only what is printed is written. While the output takes nothing,
 * what is printed waits; of more than 1 MiB the oldest lines are dropped.
 */
export class Screen {
  #output: TerminalOutput;
  #draws: boolean;
  #line = EMPTY_LINE;
  #cursorRow = 0; // below the first row of the drawn line
  #drawn = ""; // what stands before the cursor, on the screen
  #isShown = false;
  #printed = "";
  #isLate = false; // what is printed waits for the output
  #droppedLines = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #marksPastes = false;
  #failure: Error | undefined;

  /** Takes the output; does not write before there is something to show. */
  constructor(output: TerminalOutput, draws: boolean) {
    this.#output = output;
    this.#draws = draws;
    output.on("error", (error) => this.#failure ??= error);
  }

  /** Shows a line at the bottom in place of the one before, from the next `flush` on. */
  show(line: BottomLine): void {
    if (!this.#draws) return;
    this.#line = { ...line, prompt: escapeAllButColors(line.prompt) };
    this.#isShown = true;
    this.#schedule();
  }

  /** Prints lines above the bottom line: on a screen escaped, except for colour codes, and wrapped. */
  print(text: string, options: PrintOptions = {}): void {
    const columns = this.#columns();
    const rows = this.#output.isTTY ? wrapText(text, { ...options, columns }) : [text];
    this.#printLine(rows.join(this.#lineEnd()));
  }

  /** Writes a text as it is, after what was printed. */
  write(text: string): void {
    this.#printed += text;
    this.#schedule();
  }

  /** Leaves the bottom line where it is, as printed, or erases it; then starts an empty one. */
  finishLine(options: { keep: boolean }): void {
    const { prompt, text } = this.#line;
    this.#line = EMPTY_LINE;
    if (options.keep && this.#isShown && prompt + text !== "") this.#printLine(prompt + text);
    else this.#schedule();
  }

  /** Moves the bottom line to the top of an empty screen. */
  clear(): void {
    this.#write(CLEAR_SCREEN);
    this.#cursorRow = 0;
    this.#schedule();
  }

  /** Sounds the bell of the terminal, if there is one. */
  ring(): void {
    if (this.#draws) this.write("\x07");
  }

  /** Draws the bottom line again for the width that the screen has now. */
  resize(): void {
    // The terminal has wrapped the drawn rows anew; its cursor stayed at its character.
    if (this.#isShown) {
      const { cursorRow } = layOutLine(this.#drawn, "", 0, this.#columns());
      this.#cursorRow = Math.min(cursorRow, this.#height() - 1);
    }
    this.#schedule();
  }

  /** Writes what waits for the end of the turn: at once, or when the output has taken what it was given before. */
  flush(): void {
    this.#isLate = this.#output.writableLength > 0;
    if (!this.#isLate) return this.#flush();
    this.#dropOldest();
    this.#endTurn();
  }

  #endTurn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#endTurn();
    const erase = this.#isShown ? this.#erasing() : "";
    const dropped = this.#droppedLines > 0
      ? `(${count(this.#droppedLines, "line")} dropped: the output was not read)${this.#lineEnd()}`
      : "";
    const printed = dropped + this.#printed;
    this.#printed = "";
    this.#droppedLines = 0;
    this.#write(erase + printed + (this.#isShown ? this.#drawing() : ""));
  }

  #dropOldest(): void {
    if (this.#printed.length <= MAX_WAITING_CHARS) return;
    const end = this.#printed.indexOf("\n", this.#printed.length - MAX_WAITING_CHARS / 2) + 1;
    this.#droppedLines += this.#printed.slice(0, end).split("\n").length - 1;
    this.#printed = this.#printed.slice(end);
  }

  /** Settles when all that was printed is written. Rejects with the error of the output, also an earlier one. */
  async written(): Promise<void> {
    this.#flush();
    const { promise, resolve } = Promise.withResolvers<Error | null | undefined>();
    if (!this.#failure) this.#output.write("", resolve);
    const error = this.#failure ?? await promise;
    if (error) throw this.#failure ?? error;
  }

  /** Gives the screen back until the next `show`; a text being typed stays as if printed. */
  suspend(): void {
    this.finishLine({ keep: this.#line.text !== "" });
    this.#flush();
    if (this.#marksPastes) this.#write(BRACKETED_PASTE_OFF);
    this.#marksPastes = false;
    this.#isShown = false;
  }

  /** Gives the screen back for good; printing continues without a bottom line. */
  release(): void {
    this.suspend();
    this.#draws = false;
  }

  /** Draws the bottom line anew where the cursor is: another program had the terminal. */
  restore(): void {
    this.#cursorRow = 0;
    this.#marksPastes = false;
    this.flush();
  }

  #printLine(text: string): void {
    this.write(text + this.#lineEnd());
  }

  #lineEnd(): string {
    return this.#draws ? "\r\n" : "\n";
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush());
  }

  #write(text: string): void {
    if (text === "" || this.#failure || !this.#output.writable) return;
    try {
      this.#output.write(text, () => {
        if (this.#isLate) this.flush();
      });
    } catch (error) {
      // `process.stdout` throws the errors that other streams emit.
      this.#output.emit("error", error);
    }
  }

  #columns(): number {
    return this.#output.columns || 80;
  }

  #height(): number {
    return this.#output.rows || 24;
  }

  #erasing(): string {
    const up = this.#cursorRow > 0 ? `\x1b[${this.#cursorRow}A` : "";
    this.#cursorRow = 0;
    return up + CLEAR_FROM_ROW;
  }

  /**
   * Writes the rows, then goes back up and writes what stands before the cursor again: the cursor
   * then is where the terminal has that text end, also where it counts cells otherwise than we do.
   */
  #drawing(): string {
    const { prompt, text, cursor } = this.#line;
    const { rows, cursorRow, beforeCursor } = layOutLine(prompt, text, cursor, this.#columns());
    const height = this.#height();
    const first = Math.max(0, cursorRow - height + 1);
    const shown = rows.slice(first, first + height);
    this.#cursorRow = cursorRow - first;
    this.#drawn = shown.slice(0, this.#cursorRow).join("") + beforeCursor;
    const mode = this.#marksPastes ? "" : BRACKETED_PASTE_ON;
    this.#marksPastes = true;
    const below = shown.length - 1 - this.#cursorRow;
    // The last row may be empty because the one before is full: a space makes the terminal wrap.
    const wrapped = shown.join("") + (shown.length > 1 && shown.at(-1) === "" ? " \r" : "");
    if (below === 0 && rows[cursorRow] === beforeCursor) return mode + wrapped;
    return `${mode}${wrapped}${below > 0 ? `\x1b[${below}A` : ""}\r${beforeCursor}`;
  }
}
