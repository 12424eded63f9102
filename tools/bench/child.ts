/**
 * The programs that a benchmark starts: they are told things on standard input and answer on standard output.
 *
 * @module
 */
import { readLines } from "../../lib/terminal/lines.ts";

const encoder = new TextEncoder();

/**
 * A running program. It ends when its standard input does, so that none is left behind, however this one ends.
 */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string, void, void>;

  /**
   * Starts a program.
   *
   * @throws {Deno.errors.NotFound} If it is not installed.
   */
  constructor(command: string, args: string[]) {
    const options = { args, stdin: "piped", stdout: "piped" } as const;
    this.#process = new Deno.Command(command, options).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = readLines(this.#process.stdout);
  }

  /** Starts one of our own programs in this folder, with no more permissions than named. */
  static deno(module: string, permissions: string[], ...args: string[]): Child {
    const path = new URL(module, import.meta.url).pathname;
    return new Child(denoPath(), ["run", "--quiet", "--no-prompt", ...permissions, path, ...args]);
  }

  /** Sends one line. */
  async tell(line: string): Promise<void> {
    await this.#input.write(encoder.encode(`${line}\n`));
  }

  /**
   * Receives the next line.
   *
   * @throws {Error} If the program has ended instead.
   */
  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    if (typeof value === "string") return value;
    const { code } = await this.#process.status;
    throw new Error(`It ended with exit code ${code} and no answer`);
  }

  /** Sends one value as JSON, and receives another; an `error` in it is thrown. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    await this.tell(JSON.stringify(question));
    const answer = JSON.parse(await this.line());
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** Ends the program by ending its input, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {/* It has ended by itself. */});
    while (!(await this.#lines.next()).done);
    await this.#process.status;
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
      result = { error: error instanceof Error ? error.message : String(error) };
    }
    console.log(JSON.stringify(result));
  }
}
