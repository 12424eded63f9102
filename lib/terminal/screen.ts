/**
 * The output side of a terminal: a line being typed at the bottom, and what is printed above it.
 *
 * @module
 */

import type { Writable } from "node:stream";
import { layOutLine } from "./text_layout.ts";

/** Where a terminal writes, such as `process.stdout`. */
export interface TerminalOutput extends Writable {
  /** Whether a screen is at the other end. */
  isTTY?: boolean;
  /** The width of the screen, in cells. */
  columns?: number;
  /** The height of the screen, in rows. */
  rows?: number;
}

/** The line at the bottom of the screen. */
export interface BottomLine {
  /** What stands before the text; may hold colour codes. */
  prompt: string;
  /** The text. */
  text: string;
  /** Where the cursor is: an index into `text`. */
  cursor: number;
}

const EMPTY_LINE: BottomLine = { prompt: "", text: "", cursor: 0 };
const BRACKETED_PASTE_ON = "\x1b[?2004h";
const BRACKETED_PASTE_OFF = "\x1b[?2004l";
const CLEAR_BELOW = "\x1b[J";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/**
 * Draws the bottom line and prints above it.
 *
 * Everything of one turn of the event loop leaves in one write, so that a burst neither flickers
 * nor costs a drawing a line. Where `draws` is false there is no bottom line: only what is printed
 * is written, without any escape code.
 */
export class Screen {
  #output: TerminalOutput;
  #draws: boolean;
  #line = EMPTY_LINE;
  #cursorRow = 0; // below the first row of the drawn line
  #drawn = false;
  #printed = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #marksPastes = false;
  #isBroken = false;

  /** Takes the output; does not write before there is something to show. */
  constructor(output: TerminalOutput, draws: boolean) {
    this.#output = output;
    this.#draws = draws;
  }

  /** Shows a line at the bottom in place of the one before, from the next `flush` on. */
  show(line: BottomLine): void {
    if (!this.#draws) return;
    this.#line = line;
    this.#drawn = true;
    this.#schedule();
  }

  /** Prints a text, and ends its line, above the bottom line. */
  print(text: string): void {
    this.#printed += this.#draws ? `${text.replace(/\r?\n/g, "\r\n")}\r\n` : `${text}\n`;
    this.#schedule();
  }

  /** Leaves the bottom line where it is, as printed, or erases it; then starts an empty one. */
  finishLine(options: { keep: boolean }): void {
    const { prompt, text } = this.#line;
    this.#line = EMPTY_LINE;
    if (options.keep && this.#drawn && prompt + text !== "") this.print(prompt + text);
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
    if (this.#draws) this.#write("\x07");
  }

  /** Draws the bottom line again for the width that the screen has now. */
  resize(): void {
    // The terminal has broken the drawn line into rows anew; its cursor stayed at its character.
    if (this.#drawn) this.#cursorRow = Math.min(this.#layOut().cursorRow, this.#height() - 1);
    this.#schedule();
  }

  /** Writes at once what waits for the end of the turn. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const erase = this.#drawn ? this.#erasing() : "";
    const printed = this.#printed;
    this.#printed = "";
    this.#write(erase + printed + (this.#drawn ? this.#drawing() : ""));
  }

  /** Gives the screen back until the next `show`; a text being typed stays as if printed. */
  suspend(): void {
    this.finishLine({ keep: this.#line.text !== "" });
    this.flush();
    if (this.#marksPastes) this.#write(BRACKETED_PASTE_OFF);
    this.#marksPastes = false;
    this.#drawn = false;
  }

  /** Gives the screen back for good; printing goes on without a bottom line. */
  release(): void {
    this.suspend();
    this.#draws = false;
  }

  /** Writes no more, once that has failed: or who prints in answer to an error would bring about the next. */
  fail(): void {
    this.#isBroken = true;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush());
  }

  #write(text: string): void {
    if (text === "" || this.#isBroken || !this.#output.writable) return;
    try {
      this.#output.write(text);
    } catch (error) {
      // `process.stdout` throws what other streams tell by this event.
      this.#output.emit("error", error);
    }
  }

  #layOut() {
    const { prompt, text, cursor } = this.#line;
    return layOutLine(prompt, text, cursor, this.#output.columns || 80);
  }

  #height(): number {
    return this.#output.rows || 24;
  }

  #erasing(): string {
    const up = this.#cursorRow > 0 ? `\x1b[${this.#cursorRow}A` : "";
    this.#cursorRow = 0;
    return `${up}\r${CLEAR_BELOW}`;
  }

  /**
   * Writes the rows, then goes back up and writes what stands before the cursor again: the cursor
   * then is where the terminal has that text end, also where it counts cells otherwise than we do.
   */
  #drawing(): string {
    const { rows, cursorRow, beforeCursor } = this.#layOut();
    const height = this.#height();
    const first = Math.max(0, cursorRow - height + 1);
    const shown = rows.slice(first, first + height);
    this.#cursorRow = cursorRow - first;
    const mode = this.#marksPastes ? "" : BRACKETED_PASTE_ON;
    this.#marksPastes = true;
    const below = shown.length - 1 - this.#cursorRow;
    // The last row may be empty because the one before is full: a space makes the terminal wrap.
    const wrapped = shown.join("") + (shown.length > 1 && shown.at(-1) === "" ? " \r" : "");
    if (below === 0 && rows[cursorRow] === beforeCursor) return mode + wrapped;
    return `${mode}${wrapped}${below > 0 ? `\x1b[${below}A` : ""}\r${beforeCursor}`;
  }
}
