/**
 * Programs in processes of their own, which tests, the soak and the benchmarks start, talk to, and end.
 *
 * @module
 */
import { messageOf } from "../../lib/base/thrown.ts";
import { readLines } from "../../lib/terminal/lines.ts";

const CHECKOUT = new URL("../../", import.meta.url);

/** What a program left. */
export interface Ended {
  /** Its exit code. */
  code: number;
  /** What it wrote to standard output and was not read. */
  out: string;
  /** What it wrote to standard error. */
  err: string;
}

/** A program that runs in the folder of this project. Disposal kills it where it still runs. */
export class ChildProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #err: Promise<string>;
  #text = "";

  /**
   * Starts a program.
   *
   * @throws {Deno.errors.NotFound} If it is not installed.
   */
  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(command, {
      args,
      cwd: CHECKOUT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", ...env },
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#err = new Response(this.#child.stderr).text();
  }

  /** Starts one of our own programs, which may use the network of this machine and start threads. */
  static deno(module: URL, ...args: string[]): ChildProgram {
    const flags = ["--quiet", "--no-prompt", "--allow-net=127.0.0.1", "--allow-read=servers,lib"];
    return new ChildProgram(denoPath(), ["run", ...flags, module.pathname, ...args]);
  }

  /** The id of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The next line of standard output, empty at its end. */
  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) break;
      this.#text += value;
    }
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }

  /** Types a command, and gives so many lines of its answer. */
  async command(command: string, lines = 1): Promise<string> {
    await this.type(`${command}\n`);
    const answer: string[] = [];
    while (answer.length < lines) answer.push(await this.line());
    return answer.join("\n");
  }

  /** Sends one value as JSON, and receives another; an `error` in it is thrown, and so is the end of the program. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    const line = await this.command(JSON.stringify(question));
    if (line === "") throw new Error(`It ended without an answer: ${(await this.ended()).err}`);
    const answer = JSON.parse(line);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** Writes to standard input. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends standard input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Sends a signal again and again, until it has ended or the result is disposed of. */
  killAgain(signal: Deno.Signal): Disposable {
    const kill = () => {
      try {
        this.kill(signal);
      } catch {
        // It has ended in this moment.
      }
    };
    const timer = setInterval(kill, 50);
    const end = () => clearInterval(timer);
    this.#child.status.then(end);
    return { [Symbol.dispose]: end };
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    let out = this.#text;
    for (let part = await this.#output.read(); !part.done; part = await this.#output.read()) {
      out += part.value;
    }
    const { code } = await this.#child.status;
    await this.#input.close().catch(() => {/* It is closed, or broken. */});
    return { code, out, err: await this.#err };
  }

  /** Kills it, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended().catch(() => {});
  }
}

/** This Deno where it may be started by its path, else the one on the search path. */
export function denoPath(): string {
  const path = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command: path });
  return state === "granted" ? path : "deno";
}

/** Answers each line of standard input, until it ends. */
export async function answerLines(answer: (line: string) => unknown): Promise<void> {
  for await (const line of readLines(Deno.stdin.readable)) {
    let result;
    try {
      result = await answer(line);
    } catch (error) {
      result = { error: messageOf(error) };
    }
    console.log(JSON.stringify(result));
  }
}
