/**
 * A server as its task starts it: a process of its own, on a free port, with data of its own.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { FramedConn } from "../../lib/conn/framed_conn.ts";

const CHECKOUT = new URL("../../", import.meta.url);

/** What a process left. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** The arguments of `deno` in a server's task, with `data` in place of its data folder. */
export function taskArgs(name: string, data: string): string[] {
  const { command } = config.tasks[name as "echo"];
  const { net, read, write, env } = config.permissions.server;
  const paths = (names: string[]) => names.map((path) => path === "data" ? data : path).join();
  const [, args = ""] = command.split(/(?:^| )deno /); // without variables before it
  return args.split(" ").flatMap((arg) =>
    arg !== "-P=server" ? arg : [
      `--allow-net=${net.join()}`,
      `--allow-read=${paths(read)}`,
      `--allow-write=${paths(write)}`,
      `--allow-env=${env.join()}`,
    ]
  );
}

/** Runs a server to its end, with nothing on standard input, and gives what it left. */
export async function runServer(name: string, ...flags: string[]): Promise<Ended> {
  const data = await Deno.makeTempDir();
  const rest = name in config.tasks && !flags.includes("--data") ? ["--data", data] : [];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("echo", data).slice(0, -1), ...(name ? [name] : []), ...flags, ...rest],
    cwd: CHECKOUT,
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  await Deno.remove(data, { recursive: true });
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** How a server is started. */
export interface StartOptions {
  /** The folder of an earlier one, which is used again. */
  data?: string;
  /** Flags of `deno` before the program. */
  before?: string[];
  /** A command that runs the one that stands behind it, in its own process. */
  under?: string[];
}

/** A server that runs. */
export class ServerProcess implements AsyncDisposable {
  readonly data: string;
  readonly name: string;
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #err: Promise<string>;
  readonly #ownsData: boolean;
  #text = "";
  #closed = false;
  /** The first line of standard output. */
  firstLine = "";

  private constructor(
    name: string,
    flags: string[],
    data: string,
    { ownsData, before = [], under = [] }: StartOptions & { ownsData: boolean },
  ) {
    this.name = name;
    this.data = data;
    this.#ownsData = ownsData;
    const port = flags.some((flag) => flag.startsWith("--port")) ? [] : ["--port=0"];
    const args = [...taskArgs(name, data), "--data", data, ...port, ...flags].flatMap((arg) =>
      arg === "servers/main.ts" ? [...before, arg] : arg
    );
    const [program = "", ...rest] = [...under, Deno.execPath(), ...args];
    this.#child = new Deno.Command(program, {
      args: rest,
      cwd: CHECKOUT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#err = new Response(this.#child.stderr).text();
  }

  /** Starts a server and waits until it listens. */
  static async start(
    name: string,
    flags: string[] = [],
    options: StartOptions = {},
  ): Promise<ServerProcess> {
    const { data = await Deno.makeTempDir() } = options;
    const ownsData = options.data === undefined;
    const server = new ServerProcess(name, flags, data, { ...options, ownsData });
    server.firstLine = await server.line();
    return server;
  }

  get port(): number {
    return Number(/:(\d+)( |$)/.exec(this.firstLine)?.[1]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  connect(): Promise<FramedConn> {
    return FramedConn.connect({ port: this.port });
  }

  /** The next line of standard output, empty at its end. */
  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
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

  async type(text: string): Promise<void> {
    await this.#keyboard.write(new TextEncoder().encode(text));
  }

  async endInput(): Promise<void> {
    this.#closed = true;
    await this.#keyboard.close();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end; standard output is what no `line` took. */
  async ended(): Promise<Ended> {
    let out = this.#text;
    for (let part = await this.#reader.read(); !part.done; part = await this.#reader.read()) {
      out += part.value;
    }
    const { code } = await this.#child.status;
    if (!this.#closed) await this.endInput().catch(() => {});
    return { code, out, err: await this.#err };
  }

  async stop(): Promise<Ended> {
    this.kill("SIGTERM");
    return await this.ended();
  }

  async log(): Promise<string> {
    return await Deno.readTextFile(`${this.data}/logs/${this.name}.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended().catch(() => {});
    if (this.#ownsData) await Deno.remove(this.data, { recursive: true });
  }
}
