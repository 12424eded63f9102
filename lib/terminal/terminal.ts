/**
 * Reads lines from a keyboard, or from a pipe, while other lines are printed.
 *
 * @module
 */

import process from "node:process";
import { AsyncOutput, LAST_OUTPUT_MS, printError, STANDARD_ERROR } from "./async_output.ts";
import { within } from "../base/within.ts";
import { terminalIsDumb } from "./color.ts";
import { LineDialog, type LineDialogOptions } from "./line_dialog.ts";
import { readLines } from "./lines.ts";
import { type Question, yesOrNo } from "./question.ts";
import { type PrintOptions, Screen, type TerminalOutput } from "./screen.ts";
import { Keyboard, type TerminalInput } from "./terminal_input.ts";
import { askUnedited } from "./unedited_question.ts";

/** Options of a `Terminal`. */
export interface TerminalOptions
  extends Partial<Omit<LineDialogOptions, "edits" | "onLine" | "onEnd">> {
  /** Where to read. @default {process.stdin} */
  input?: TerminalInput;
  /** Where to write. @default {standard output} */
  output?: TerminalOutput;
  /** Called, perhaps more than once, when the terminal is gone: its window or connection. @default {closes it} */
  onHangUp?(): void;
}

/**
 * Reads lines, and prints others above the line being typed.
 *
 * - **At a terminal** a line can be edited, completed and called back; printed lines appear above it,
 *   escaped except for colour codes, and wrapped. **In a pipe** lines go in and out as they are. A terminal with
 *   `TERM=dumb`, or whose screen is redirected, edits lines itself.
 * - **Nothing is entered by accident.** A pasted block of lines waits for a yes.
 * - **Lazy.** It reads from the first iteration or question on; what was typed before is not lost.
 * - **Owning.** `close()` gives the terminal back as it was found; a pipe that it read is destroyed,
 *   so use one `Terminal` a process. Ctrl-C without `onInterrupt` closes it. Ctrl-D ends the lines: from then on Ctrl-C
 *   alone is read. Wait for `written()` before `Deno.exit()`.
 *
 * Needs no permission.
 */
export class Terminal implements AsyncIterable<string>, Disposable, AsyncDisposable {
  /** Whether lines are edited here: both ends are a terminal, and not a dumb one. */
  readonly isInteractive: boolean;
  #input: TerminalInput;
  #output: TerminalOutput;
  #keyboard: Keyboard | undefined; // otherwise a pipe
  #screen: Screen;
  #dialog: LineDialog;
  #piped: AsyncIterator<string, void> | undefined;
  #entered: string[] = [];
  #changed = Promise.withResolvers<void>();
  #isStarted = false;
  #isEnded = false;
  #isClosed = false;

  /** Takes the streams; neither reads nor changes anything yet. */
  constructor({ input, output, onInterrupt, onHangUp, ...options }: TerminalOptions = {}) {
    this.#input = input ?? process.stdin;
    // A pipe or a file may make the program wait: none of its output is lost then.
    this.#output = output ?? (process.stdout.isTTY ? new AsyncOutput(Deno.stdout) : process.stdout);
    const hasKeyboard = this.#input.isTTY === true;
    this.isInteractive = hasKeyboard && this.#output.isTTY === true && !terminalIsDumb();
    this.#screen = new Screen(this.#output, this.isInteractive);
    this.#dialog = new LineDialog(this.#screen, {
      prompt: "> ",
      keepEntered: true,
      edits: this.isInteractive,
      complete: () => [],
      onPaste: (lines) => this.confirm(`Enter these ${lines.length} lines?`),
      ...options,
      onLine: (line) => this.#enter(line),
      onInterrupt: onInterrupt ?? this.#leave,
      onEnd: () => this.#endLines(),
    });
    const hangUp = onHangUp ?? this.#leave;
    if (hasKeyboard) {
      this.#keyboard = new Keyboard(this.#input, {
        onText: (text) => this.#dialog.receive(text),
        // No key ends the input of an interactive one: Ctrl-D is a character there.
        onEnd: this.isInteractive ? hangUp : () => this.#endLines(),
        onInterrupt: onInterrupt ?? this.#leave,
        onHangUp: hangUp,
        onTerminate: this.#leave,
        onContinue: () => this.#screen.restore(),
        onCrash: () => this.#screen.suspend(),
      });
    }
    this.#output.on("error", this.isInteractive ? hangUp : this.#leave);
    addEventListener("unload", this.#leave);
  }

  /** Prints a text and ends its line: above the line being typed, or plainly. */
  print(text: string, options?: PrintOptions): void {
    this.#screen.print(text, options);
    if (this.#isClosed) this.#screen.flush();
  }

  /** Prints a message of the program about itself: on standard error, or, where a line is being typed, above it. */
  tell(text: string): void {
    if (this.isInteractive && STANDARD_ERROR.isTTY) this.print(text);
    else printError(text);
  }

  /**
   * Settles when all that was printed is written; once it is closed, after 1 s at most. Rejects with the error of the
   * output, also an earlier one.
   */
  async written(): Promise<void> {
    const written = this.#screen.written();
    await (this.#isClosed ? within(LAST_OUTPUT_MS, written) : written);
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

  /** Asks for a typed yes or no until one of them, or Enter for no, is the answer. `true` at once without a keyboard. */
  async confirm(question: string): Promise<boolean> {
    if (!this.#keyboard) return true;
    const hintOn = (answer: string) =>
      yesOrNo(answer) === undefined ? "Type y or n, then Enter" : undefined;
    const answer = await this.#ask({ prompt: `${question} [y/N] `, hintOn });
    return yesOrNo(answer ?? "") ?? false;
  }

  /**
   * Asks several questions in a row: until `ask` settles no line can be typed, and what was typed and no question took
   * is then dropped. It may have been meant for a hidden one. In a pipe it only asks.
   */
  async interview<T>(ask: () => Promise<T>): Promise<T> {
    this.#dialog.holdLines(true);
    try {
      return await ask();
    } finally {
      this.#dialog.holdLines(false);
    }
  }

  /** Gives the terminal back as it was found; ends iterations and questions. Idempotent. */
  close(): void {
    this.#entered = [];
    this.#leave();
  }

  /** Closes it, and waits until all is written, for 1 s at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.written().catch(() => {/* It is lost. */});
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Gives the lines as they are entered, until the input ends. Breaking out leaves it open. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<string> {
    this.#start();
    this.#dialog.wantLines();
    for (let line; (line = await this.#nextLine()) !== null;) yield line;
  }

  #start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    if (!this.#keyboard) this.#piped = readLines(this.#input);
    this.#output.on("resize", this.#onResize);
    this.#whenWritten(() => {
      if (this.#isClosed) return;
      if (this.isInteractive) this.#keyboard?.setRaw(true);
      this.#keyboard?.start();
    });
  }

  /** To change the mode of a terminal, the system waits for what is being written, and blocks this thread. */
  #whenWritten = (act: () => void) => {
    if (this.#output.writableLength === 0) act();
    else this.#output.write("", act);
  };

  #onResize = () => this.#screen.resize();

  #enter(line: string): void {
    this.#entered.push(line);
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #nextLine(): Promise<string | null> {
    // What breaks a pipe ends its lines.
    if (this.#piped) return (await this.#piped.next().catch(() => undefined))?.value ?? null;
    while (this.#entered.length === 0 && !this.#isEnded) await this.#changed.promise;
    return this.#entered.shift() ?? null;
  }

  /** Lines entered before can still be read. */
  #endLines(): void {
    this.#isEnded = true;
    this.#dialog.end();
    this.#screen.release();
    this.#change();
  }

  #leave = () => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    removeEventListener("unload", this.#leave);
    this.#output.off("resize", this.#onResize);
    this.#endLines();
    // Its pending read would keep the process alive.
    if (this.#piped) this.#input.destroy();
    // Where the output takes nothing, the exit of the process sets its mode back.
    if (this.#isStarted) this.#keyboard?.stop(this.#whenWritten);
  };

  async #ask(question: Question): Promise<string | null> {
    this.#start();
    if (!this.#keyboard) return await this.#nextLine();
    if (this.isInteractive || this.#isEnded) return await this.#dialog.ask(question);
    const place = this.#output.isTTY === true ? this.#screen : STANDARD_ERROR;
    return await askUnedited(question, { place, keyboard: this.#keyboard, dialog: this.#dialog });
  }
}
