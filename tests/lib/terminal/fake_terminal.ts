import { PassThrough, Writable } from "node:stream";
import { unicodeWidth } from "@std/cli/unicode-width";
import { Terminal, type TerminalOptions } from "../../../lib/terminal/terminal.ts";
import type { TerminalInput } from "../../../lib/terminal/terminal_input.ts";
import type { TerminalOutput } from "../../../lib/terminal/screen.ts";

/** A keyboard: `type` is what the person does, `isRaw` is the state it was left in. */
export class FakeKeyboard extends PassThrough implements TerminalInput {
  isTTY = true;
  isRaw = false;

  setRawMode(raw: boolean): void {
    this.isRaw = raw;
  }

  async type(...chunks: (string | Uint8Array)[]): Promise<void> {
    for (const chunk of chunks) {
      this.write(chunk);
      await turn();
    }
  }
}

/** A screen that shows what a person would see; it knows just the escape codes that are used. */
export class FakeScreen extends Writable implements TerminalOutput {
  isTTY = true;
  writes: string[] = [];
  bells = 0;
  marksPastes = false;
  #cells: string[][] = [[]];
  #top = 0; // what is above has scrolled away
  #row = 0;
  #column = 0;

  constructor(public columns = 20, public rows = 6) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    // deno-lint-ignore no-control-regex -- the escape character is what is looked for
    for (const token of chunk.match(/\x1b\[[?\d;]*[A-Za-z]|[^]/gu) ?? []) this.#show(token);
    done();
  }

  /** The rows from the first one ever written to the last that is not empty. */
  get text(): string[] {
    const rows = this.#cells.map((cells) => cells.join("").trimEnd());
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** The cursor: which of `text`'s rows, and which cell of it. */
  get cursor(): [row: number, column: number] {
    return [this.#row, this.#column];
  }

  /** Gives the screen another width, as terminals do that break long rows anew. */
  resize(columns: number): void {
    const position = this.#cells.slice(0, this.#row).flat().length + this.#column;
    const cells = this.#cells.flat();
    this.columns = columns;
    this.#cells = [];
    for (let i = 0; i < cells.length; i += columns) this.#cells.push(cells.slice(i, i + columns));
    this.#row = Math.floor(position / columns);
    this.#column = position % columns;
    this.emit("resize");
  }

  #show(token: string): void {
    if (token === "\r") this.#column = 0;
    else if (token === "\n") this.#lineFeed();
    else if (token === "\x07") this.bells++;
    else if (token.length > 1 && token.endsWith("A")) {
      this.#row = Math.max(this.#top, this.#row - parseInt(token.slice(2)));
    } else if (token === "\x1b[J") this.#clearBelow();
    else if (token === "\x1b[H") [this.#row, this.#column] = [this.#top, 0];
    else if (token === "\x1b[2J") this.#cells.splice(this.#top, Infinity, []);
    else if (token.startsWith("\x1b[?2004")) this.marksPastes = token.endsWith("h");
    else if (token.endsWith("m") && token.length > 1) return;
    else if (token < " ") throw new Error(`Cannot show ${JSON.stringify(token)}`);
    else this.#put(token);
  }

  #put(char: string): void {
    const width = unicodeWidth(char);
    if (this.#column + width > this.columns) {
      this.#lineFeed();
      this.#column = 0;
    }
    const row = this.#cells[this.#row]!;
    while (row.length < this.#column) row.push(" ");
    if (width === 0) row[this.#column - 1] += char;
    else row[this.#column] = char;
    if (width === 2) row[this.#column + 1] = "";
    this.#column += width;
  }

  #lineFeed(): void {
    this.#row++;
    this.#cells[this.#row] ??= [];
    this.#top = Math.max(this.#top, this.#row - this.rows + 1);
  }

  #clearBelow(): void {
    // tmux scrolls a screen that is cleared as a whole into its history.
    if (this.#row === this.#top && this.#column === 0) throw new Error("The screen is copied");
    this.#cells[this.#row]!.length = Math.min(this.#column, this.#cells[this.#row]!.length);
    this.#cells.length = this.#row + 1;
  }
}

/** Waits for the end of the turn of the event loop in which things are drawn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(() => setTimeout(resolve)));
}

/** A terminal whose lines are collected until it ends. */
export function open(options: TerminalOptions & { columns?: number; rows?: number } = {}) {
  const keyboard = new FakeKeyboard();
  const screen = new FakeScreen(options.columns, options.rows);
  const terminal = new Terminal({ input: keyboard, output: screen, ...options });
  const lines: string[] = [];
  const ended = (async () => {
    for await (const line of terminal) lines.push(line);
  })();
  return { keyboard, screen, terminal, lines, ended, [Symbol.dispose]: () => terminal.close() };
}
