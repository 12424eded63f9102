/**
 * Asks at the terminal.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Asker } from "./question.ts";

/** Where {@linkcode ReadlineAsker} reads and writes. */
export interface ReadlineAskerOptions {
  /**
   * Where the answers come from.
   *
   * @default {process.stdin}
   */
  input?: Readable;
  /**
   * Where prompts and reasons go: not to standard output, which is for results.
   *
   * @default {process.stderr}
   */
  output?: Writable;
}

/**
 * Asks a series of questions at the terminal, without stopping the event loop.
 *
 * - **One at a time.** Await a line before asking for the next.
 * - **Nothing is lost.** What was typed or piped ahead answers the next question; once disposed of, what is left
 *   goes back to `input`, for whoever reads there next. The terminal then keeps the process alive no longer; a pipe
 *   does until its next bytes or its end, because Deno has already begun to read them.
 * - **Ctrl-D** is the end of input: this and all later lines are `null`. **Ctrl-C** rejects with
 *   {@linkcode Deno.errors.Interrupted}; the terminal is back in its usual mode then.
 */
export class ReadlineAsker implements Asker, Disposable {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #readline: Interface;
  readonly #ahead: string[] = [];
  /** Bytes after the last newline of a pipe: readline keeps them to itself. */
  #partial = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<string | null> | undefined;
  #state: "open" | "ended" | "interrupted" = "open";

  /** Starts to read lines. */
  constructor({ input = process.stdin, output = process.stderr }: ReadlineAskerOptions = {}) {
    this.#input = input;
    this.#output = output;
    this.#readline = createInterface({ input, output });
    if (input.readableEnded) this.#state = "ended";
    this.#readline.on("line", (line) => this.#take(line));
    this.#readline.on("SIGINT", () => this.#end("interrupted"));
    this.#readline.on("close", () => this.#end("ended"));
    if (!this.#readline.terminal) input.on("data", this.#keepPartial);
    this.#readline.pause();
  }

  /**
   * Shows the prompt and gives the line typed after it, or `null` at the end of input.
   *
   * @throws {Deno.errors.Interrupted} If the person presses Ctrl-C, or has done so.
   */
  line(prompt: string): Promise<string | null> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) return Promise.resolve(ahead);
    const { promise } = this.#waiting = Promise.withResolvers();
    if (this.#state !== "open") this.#end(this.#state);
    else {
      this.#readline.setPrompt(prompt);
      this.#readline.prompt();
    }
    return promise;
  }

  /** Shows a line. */
  tell(text: string): void {
    this.#output.write(`${text}\n`);
  }

  /** Stops reading and gives `input` back what was not asked for. */
  [Symbol.dispose](): void {
    const rest = this.#ahead.map((line) => `${line}\n`).join("");
    const partial = this.#readline.terminal ? Buffer.from(this.#readline.line) : this.#partial;
    const bytes = Buffer.concat([Buffer.from(rest), partial]);
    this.#input.off("data", this.#keepPartial);
    if (this.#state === "open") this.#state = "ended";
    this.#readline.close();
    if (bytes.length > 0 && !this.#input.readableEnded) this.#input.unshift(bytes);
  }

  #take(line: string): void {
    // Without this a pipe would be read to its end, and its lines would be gone for the next reader.
    this.#readline.pause();
    if (this.#waiting === undefined) this.#ahead.push(line);
    else this.#waiting.resolve(line);
    this.#waiting = undefined;
  }

  #end(state: "ended" | "interrupted"): void {
    if (this.#state === "open") {
      this.#state = state;
      if (this.#readline.terminal) this.#output.write("\n");
      this.#readline.close();
    }
    if (this.#state === "ended") this.#waiting?.resolve(null);
    else this.#waiting?.reject(new Deno.errors.Interrupted("Cannot ask: Ctrl-C was pressed"));
    this.#waiting = undefined;
  }

  readonly #keepPartial = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk as string);
    const newline = bytes.lastIndexOf("\n");
    this.#partial = newline < 0
      ? Buffer.concat([this.#partial, bytes])
      : bytes.subarray(newline + 1);
  };
}
