/**
 * Reads lines from a person at a terminal, or from a pipe, while other lines are printed.
 *
 * @module
 */

import process from "node:process";
import { terminalIsDumb } from "./color.ts";
import { LineDialog, type Question } from "./line_dialog.ts";
import { LineQueue } from "./line_queue.ts";
import { LineSplitter } from "./lines.ts";
import { Screen, type TerminalOutput } from "./screen.ts";
import { InputReader, type TerminalInput } from "./terminal_input.ts";

export type { TerminalInput, TerminalOutput };

/** Options of a `Terminal`. */
export interface TerminalOptions {
  /** Where to read. @default {process.stdin} */
  input?: TerminalInput;
  /** Where to write. @default {process.stdout} */
  output?: TerminalOutput;
  /** What stands before the line being typed; may hold colour codes. @default {"> "} */
  prompt?: string;
  /** Whether an entered line stays on the screen, after its prompt. @default {true} */
  keepEntered?: boolean;
  /** Gives the words that may replace the last word of the line before the cursor, on Tab. */
  complete?(beforeCursor: string): string[];
  /** Called on Ctrl-C at a terminal. @default {closes it} */
  onInterrupt?(): void;
  /** Called, perhaps more than once, when the terminal is gone: its window or connection. @default {closes it} */
  onHangUp?(): void;
  /** Called with a pasted block of several lines; `true` enters them. @default {asks with `confirm`} */
  onPaste?(lines: string[]): boolean | Promise<boolean>;
}

/**
 * Reads lines, and prints others above the line being typed.
 *
 * - **At a terminal** a line can be edited, completed and called back; what is printed meanwhile
 *   appears above it. **In a pipe** (or with `TERM=dumb`) lines go in and out as they are, without
 *   prompt and escape codes; only an endless one is cut off, as `LineSplitter` does.
 * - **Nothing is entered by accident.** A pasted block of lines waits for a yes.
 * - **Lazy.** It reads from the first iteration or question on; what was typed before is not lost.
 * - **Owning.** `close()` gives the terminal back as it was found; a pipe that it read is destroyed,
 *   so use one `Terminal` a process. Ctrl-D closes it, and so does Ctrl-C without `onInterrupt`.
 *
 * Needs no permission. Texts are written as they are: escape what a peer sent.
 */
export class Terminal implements AsyncIterable<string>, Disposable {
  /** Whether lines are edited here: both ends are a terminal, and not a dumb one. */
  readonly isInteractive: boolean;
  #input: TerminalInput;
  #output: TerminalOutput;
  #reader: InputReader;
  #screen: Screen;
  #dialog: LineDialog;
  #lines = new LineQueue();
  #answers: LineQueue | undefined; // where lines go in an interview that is not edited here
  #splitter = new LineSplitter(); // in a pipe
  #onInterrupt: () => void;
  #onHangUp: () => void;
  #isStarted = false;
  #isLeft = false;

  /** Takes the streams; neither reads nor changes anything yet. */
  constructor(options: TerminalOptions = {}) {
    this.#input = options.input ?? process.stdin;
    this.#output = options.output ?? process.stdout;
    this.isInteractive = this.#input.isTTY === true && this.#output.isTTY === true &&
      !terminalIsDumb();
    this.#onInterrupt = options.onInterrupt?.bind(options) ?? this.#leave;
    this.#onHangUp = options.onHangUp?.bind(options) ?? this.#leave;
    this.#screen = new Screen(this.#output, this.isInteractive);
    this.#dialog = new LineDialog(this.#screen, {
      prompt: options.prompt ?? "> ",
      keepEntered: options.keepEntered ?? true,
      complete: (beforeCursor) => options.complete?.(beforeCursor) ?? [],
      onPaste: (lines) =>
        options.onPaste?.(lines) ?? this.confirm(`Enter these ${lines.length} lines?`),
      onLine: (line) => this.#lines.push(line),
      onInterrupt: this.#onInterrupt,
      onEnd: this.#leave,
    });
    this.#reader = new InputReader(this.#input, {
      onText: (text) => this.#receive(text),
      onEnd: () => this.#endInput(),
      onInterrupt: this.#onInterrupt,
      onHangUp: this.#onHangUp,
      onTerminate: this.#leave,
      onCrash: () => this.#screen.suspend(),
    });
    const onLost = this.isInteractive ? this.#onHangUp : this.#leave;
    this.#output.on("error", () => {
      this.#screen.fail();
      onLost();
    });
    addEventListener("unload", this.#leave);
  }

  /** Prints a text and ends its line: above the line being typed, or plainly. */
  print(text: string): void {
    this.#screen.print(text);
    if (this.#isLeft) this.#screen.flush();
  }

  /** Sounds the bell of a terminal; in a pipe, nothing. */
  ring(): void {
    this.#screen.ring();
  }

  /** Empties the screen, but for the line being typed; in a pipe, nothing. */
  clear(): void {
    if (this.isInteractive) this.#screen.clear();
  }

  /** Changes what stands before the line being typed. */
  setPrompt(prompt: string): void {
    this.#dialog.prompt = prompt;
  }

  /** Asks for a line, apart from those iterated; `null` at the end of the input or at Ctrl-C. */
  question(prompt: string): Promise<string | null> {
    return this.#ask({ prompt });
  }

  /** Asks as `question` does, but the answer is neither shown nor remembered. */
  secret(prompt: string): Promise<string | null> {
    return this.#ask({ prompt, hidden: true });
  }

  /** Asks for a yes: `y` or `yes`, typed. `true` at once where no keyboard is: nobody can be asked. */
  async confirm(question: string): Promise<boolean> {
    if (this.#input.isTTY !== true) return true;
    const answer = await this.#ask({ prompt: `${question} [y/N] `, typedOnly: true });
    return /^\s*y(es)?\s*$/i.test(answer ?? "");
  }

  /**
   * Asks several questions in a row: until `ask` settles nobody can type a line, and what was typed and no question
   * took is then dropped. It may have been meant for a hidden one. In a pipe, where nobody types, it only asks.
   */
  async interview<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#input.isTTY !== true) return await ask();
    const answers = this.#answers = new LineQueue();
    if (this.#isLeft) answers.end();
    if (!this.isInteractive) this.#lines.clear();
    this.#dialog.holdLines();
    try {
      return await ask();
    } finally {
      this.#answers = undefined;
      // Answers that nobody took may have paused it, and whoever waits for a line asks no second time.
      if (this.#isStarted && !this.#isLeft) this.#reader.resume();
      this.#dialog.releaseLines();
    }
  }

  /** Gives the terminal back as it was found; ends iterations and questions. Idempotent. */
  close(): void {
    this.#lines.clear();
    this.#leave();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Gives the lines as they are entered, until the input ends. Breaking out leaves it open. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<string> {
    this.#start();
    if (this.isInteractive) this.#dialog.wantLines();
    for (let line; (line = await this.#nextLine()) !== null;) yield line;
  }

  #start(): void {
    if (this.#isStarted || this.#isLeft) return;
    this.#isStarted = true;
    if (this.isInteractive) this.#reader.setRaw(true);
    this.#output.on("resize", this.#onResize);
    this.#reader.start();
  }

  #onResize = () => this.#screen.resize();

  /** Ends as at Ctrl-D: lines entered before can still be read. */
  #leave = () => {
    if (this.#isLeft) return;
    this.#isLeft = true;
    removeEventListener("unload", this.#leave);
    this.#output.off("resize", this.#onResize);
    this.#dialog.end();
    this.#screen.release();
    if (this.#isStarted) this.#reader.stop();
    this.#answers?.end();
    this.#lines.end();
  };

  #endInput(): void {
    // No key does that: Ctrl-D is a character here.
    if (this.isInteractive) return this.#onHangUp();
    for (const line of this.#splitter.end()) this.#lines.push(line);
    this.#dialog.giveUp();
    this.#answers?.end();
    this.#lines.end();
  }

  #receive(text: string): void {
    if (this.isInteractive || this.#dialog.isAsking) return this.#dialog.receive(text);
    const lines = this.#answers ?? this.#lines;
    for (const line of this.#splitter.push(text)) lines.push(line);
    if (lines.size > 0) this.#reader.pause(); // until somebody asks for more
  }

  #nextLine(lines = this.#lines): Promise<string | null> {
    const line = lines.next();
    if (lines.size === 0 && !this.#isLeft) this.#reader.resume();
    return line;
  }

  #ask(question: Question): Promise<string | null> {
    this.#start();
    if (this.#isLeft || this.#input.isTTY !== true) return this.#nextLine(this.#answers);
    if (this.isInteractive) return this.#dialog.ask(question);
    const place = this.#output.isTTY === true ? this.#output : process.stderr;
    place.write(question.prompt);
    return question.hidden ? this.#askBlind(question, place) : this.#nextLine(this.#answers);
  }

  /** At a keyboard whose lines are not edited here: only the echo is turned off meanwhile. */
  async #askBlind(question: Question, place: TerminalOutput): Promise<string | null> {
    this.#reader.setRaw(true);
    this.#reader.resume();
    const answer = await this.#dialog.ask(question);
    this.#reader.setRaw(false);
    place.write("\n");
    return answer;
  }
}
