/**
 * A server as its task starts it: a process of its own, on a free port, with data of its own.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { ChildProgram, denoPath, type Ended } from "./program.ts";

/** Flags of a chat whose members may say as much as they like, and all come from one address. */
export const NO_FLOOD_CONTROL = "--burst 1000000 --rate 1000000 --max-per-address 0".split(" ");

/** The arguments of `deno` in a server's task, with `data` in place of its data folder. */
export function taskArgs(name: string, data: string): string[] {
  const { command } = config.tasks[name as "echo"];
  const { net, read, write, env, sys } = config.permissions.server;
  const paths = (names: string[]) => names.map((path) => path === "data" ? data : path).join();
  const [, args = ""] = command.split(/(?:^| )deno /); // without variables before it
  return args.split(" ").flatMap((arg) =>
    arg !== "-P=server" ? arg : [
      `--allow-net=${net.join()}`,
      `--allow-read=${paths(read)}`,
      `--allow-write=${paths(write)}`,
      `--allow-env=${env.join()}`,
      `--allow-sys=${sys.join()}`,
    ]
  );
}

/** The variables that a server's task sets, but for what its shell finds out. */
function taskEnv(name: string): Record<string, string> {
  const { command } = config.tasks[name as "echo"];
  return Object.fromEntries(
    command.split(" ").flatMap((word) => {
      const [, key, value] = /^([A-Z_]+)=([^$]*)$/.exec(word) ?? [];
      return key && value ? [[key, value]] : [];
    }),
  );
}

/** Runs a server to its end, with nothing on standard input, and gives what it left. */
export async function runServer(name: string, ...flags: string[]): Promise<Ended> {
  const data = await Deno.makeTempDir();
  const rest = name in config.tasks && !flags.includes("--data") ? ["--data", data] : [];
  const args = [...taskArgs("echo", data).slice(0, -1), ...(name ? [name] : []), ...flags, ...rest];
  const server = new ChildProgram(denoPath(), args);
  await server.endInput();
  const ended = await server.ended();
  await Deno.remove(data, { recursive: true });
  return ended;
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

/** A server that runs. Disposal kills it, and removes its data where it is a temporary folder. */
export class ServerProcess extends ChildProgram {
  /** Its data folder. */
  readonly data: string;
  /** The name of its task. */
  readonly name: string;
  readonly #ownsData: boolean;
  /** The first line of standard output. */
  firstLine = "";

  private constructor(
    name: string,
    flags: string[],
    data: string,
    { ownsData, before = [], under = [] }: StartOptions & { ownsData: boolean },
  ) {
    const port = flags.some((flag) => flag.startsWith("--port")) ? [] : ["--port=0"];
    const args = [...taskArgs(name, data), "--data", data, ...port, ...flags].flatMap((arg) =>
      arg === "servers/main.ts" ? [...before, arg] : arg
    );
    const [program = "", ...rest] = [...under, denoPath(), ...args];
    super(program, rest, taskEnv(name));
    this.name = name;
    this.data = data;
    this.#ownsData = ownsData;
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

  /** The port it listens on. */
  get port(): number {
    return Number(/:(\d+)( |$)/.exec(this.firstLine)?.[1]);
  }

  /** Connects to it. */
  connect(): Promise<FramedConn> {
    return FramedConn.connect({ port: this.port });
  }

  /** Stops it by SIGTERM, and waits for the end. */
  async stop(): Promise<Ended> {
    this.kill("SIGTERM");
    return await this.ended();
  }

  /** Its log file. */
  async log(): Promise<string> {
    return await Deno.readTextFile(`${this.data}/logs/${this.name}.log`);
  }

  /** Kills it where it still runs. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    if (this.#ownsData) await Deno.remove(this.data, { recursive: true });
  }
}
