/**
 * The chat server under soak: a process of its own, as its task starts it, and what can be seen of it from outside.
 *
 * @module
 */
import { denoPath } from "../bench/child.ts";
import { readLines } from "../../lib/terminal/lines.ts";
import { taskArgs } from "../shared/server_process.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;
const FLAGS = "--port 0 --max-per-address 0".split(" ");

/** How many descriptors a process has open, and how many of them are its log. */
export interface Descriptors {
  /** All. */
  all: number;
  /** Those of the log, its backups and what was removed of it. */
  logs: number;
}

/** A chat server that runs. Disposing of it kills it if it has not been stopped. */
export class ChatProcess implements AsyncDisposable {
  /** The port it listens on. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string, void, void>;
  readonly #errors: Promise<string>;
  readonly #log: LogFollower;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncGenerator<string, void, void>,
    { port, data }: { port: number; data: string },
  ) {
    this.port = port;
    this.#child = child;
    this.#keyboard = child.stdin.getWriter();
    this.#lines = lines;
    this.#errors = new Response(child.stderr).text();
    this.#log = new LogFollower(`${data}/logs/chat.log`);
  }

  /** Starts it with its data in a folder below `data/`, and waits until it listens. */
  static async start(data: string): Promise<ChatProcess> {
    const child = new Deno.Command(denoPath(), {
      args: [...taskArgs("chat", data), ...FLAGS, "--data", data],
      cwd: CHECKOUT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const { value } = await lines.next();
    return new ChatProcess(child, lines, { port: Number(/:(\d+)$/.exec(value ?? "")?.[1]), data });
  }

  /** Types a command, and gives so many lines of its answer. */
  async command(command: string, lines = 1): Promise<string[]> {
    await this.#keyboard.write(new TextEncoder().encode(`${command}\n`));
    const answer: string[] = [];
    while (answer.length < lines) answer.push((await this.#lines.next()).value ?? "");
    return answer;
  }

  /** Its connections, and its memory in MiB. */
  async status(): Promise<{ connections: number; memoryMiB: number }> {
    const [, , connections, , memory] = (await this.command("status", 5)).map((line) =>
      Number(/\d+/.exec(line)?.[0])
    );
    return { connections: connections!, memoryMiB: memory! };
  }

  /** What it has open, where the system tells. */
  async descriptors(): Promise<Descriptors | undefined> {
    try {
      const args = ["-l", `/proc/${this.#child.pid}/fd`];
      const { stdout, success } = await new Deno.Command("ls", { args }).output();
      const lines = new TextDecoder().decode(stdout).split("\n").filter((line) =>
        / -> /.test(line)
      );
      const logs = lines.filter((line) => line.includes("/logs/chat.log")).length;
      return success ? { all: lines.length, logs } : undefined;
    } catch {
      return undefined; // No such program, or no such folder.
    }
  }

  /** The lines of its log since the last call that tell of what should not be. */
  async newErrors(): Promise<string[]> {
    const isError = (line: string) => / ERROR | WARN \w+ lines lost/.test(line);
    return (await this.#log.newLines()).filter(isError);
  }

  /** Stops it by its console; gives what is wrong with its end. */
  async stop(): Promise<string[]> {
    await this.command("stop");
    const { code } = await this.#child.status;
    const error = await this.#errors;
    return [
      ...(code === 0 ? [] : [`the server ended with exit code ${code}`]),
      ...(error === "" ? [] : [`the server wrote to standard error: ${error.trim()}`]),
    ];
  }

  /** Kills it where it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    while (!(await this.#lines.next()).done);
    await this.#errors;
    await this.#keyboard.close().catch(() => {});
  }
}

/** Reads what is new in a log, through its rotations, of which there is at most one between two calls. */
class LogFollower {
  readonly #path: string;
  #readBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async newLines(): Promise<string[]> {
    const lines: string[] = [];
    if ((await Deno.stat(this.#path)).size < this.#readBytes) {
      lines.push(...await this.#rest(`${this.#path}.1`));
      this.#readBytes = 0;
    }
    lines.push(...await this.#rest(this.#path));
    return lines;
  }

  async #rest(path: string): Promise<string[]> {
    const bytes = (await Deno.readFile(path)).subarray(this.#readBytes);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#readBytes += end;
    return new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
  }
}
