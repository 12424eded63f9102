/**
 * What a soak sees of its server: a line of figures now and then, and in the end whether anything only grew.
 *
 * @module
 */
import { sleep } from "../../lib/base/within.ts";
import type { ServerProcess } from "../shared/server_process.ts";
import type { Ledger } from "./ledger.ts";

/** What {@linkcode Watch} looks at, and where it tells. */
export interface WatchOptions {
  /** The server. */
  server: ServerProcess;
  /** Where problems go, and where the figures of the clients are. */
  ledger: Ledger;
  /** The server's log. */
  log: LogErrors;
  /** How often the members had to connect again. */
  reconnects(): number;
  /** Takes a line. */
  tell(line: string): void;
}

/** More than a server that has been warm for a while should grow by; it is not warm in the first minutes. */
const MAX_GROWTH_MIB = 32;
const WARM_SECONDS = 300;
/** How many lines the command `status` of a chat prints. */
const STATUS_LINES = 5;

/** Watches a server. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #memory: number[] = [];
  readonly #startedAt = performance.now();
  #idle: Descriptors | undefined;

  /** Begins to count the time. */
  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Counts the descriptors of the server before the first client connects. */
  async begin(): Promise<void> {
    this.#idle = await descriptorsOf(this.#options.server.pid);
  }

  /** Prints a line of figures, and notes what should not be. */
  async report(): Promise<void> {
    const { server, ledger, log, reconnects, tell } = this.#options;
    const { connections, memoryMiB } = await statusOf(server);
    const open = await descriptorsOf(server.pid);
    this.#memory.push(memoryMiB);
    if (open && open.logs !== 1) ledger.problems.push(`the log is open ${open.logs} times`);
    ledger.problems.push(...await log.read());
    tell([
      `${this.#seconds} s`,
      `said ${ledger.said.size}`,
      `delivered ${ledger.delivered}`,
      `reconnects ${reconnects()}`,
      ...Object.entries(ledger.trouble).map(([kind, count]) => `${kind} ${count}`),
      `connections ${connections}`,
      `memory ${memoryMiB} MiB`,
      ...(open ? [`descriptors ${open.all}`, `log handles ${open.logs}`] : []),
      `problems ${ledger.problems.length}`,
    ].join("  "));
  }

  /** Waits until no client is connected. What is open then and was not before is a leak; so is memory that only grew. */
  async end(): Promise<void> {
    const { server, ledger, tell } = this.#options;
    while ((await statusOf(server)).connections > 0) await sleep(100);
    const [before, after] = [this.#idle, await descriptorsOf(server.pid)];
    if (before && after && after.all > before.all) {
      ledger.problems.push(`descriptors grew from ${before.all} to ${after.all}`);
    }
    const { fromMiB, toMiB } = growthOf(this.#memory);
    const text = `memory went from ${fromMiB} to ${toMiB} MiB`;
    tell(text);
    const isWarm = this.#seconds >= WARM_SECONDS;
    if (isWarm && toMiB - fromMiB > MAX_GROWTH_MIB) ledger.problems.push(text);
  }

  get #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }
}

/** The open descriptors of a process. */
interface Descriptors {
  all: number;
  /** Those of the log, its backups and what was removed of it. */
  logs: number;
}

/** What a process has open, where the system tells. `ls` may look where this program may not. */
async function descriptorsOf(pid: number): Promise<Descriptors | undefined> {
  try {
    const args = ["-l", `/proc/${pid}/fd`];
    const { stdout, success } = await new Deno.Command("ls", { args }).output();
    const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => / -> /.test(line));
    const logs = lines.filter((line) => line.includes("/logs/chat.log")).length;
    return success ? { all: lines.length, logs } : undefined;
  } catch {
    return undefined; // No such program, or no such folder.
  }
}

async function statusOf(
  server: ServerProcess,
): Promise<{ connections: number; memoryMiB: number }> {
  const text = await server.command("status", STATUS_LINES);
  const figure = (name: string) => Number(new RegExp(`^${name}\\D*(\\d+)`, "m").exec(text)?.[1]);
  return { connections: figure("connections"), memoryMiB: figure("memory") };
}

/** Follows a log, through its rotations, of which there is at most one between two calls. */
export class LogErrors {
  readonly #path: string;
  #readBytes = 0;

  /** Starts before the first line. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The errors and warnings since the last call. */
  async read(): Promise<string[]> {
    const lines: string[] = [];
    if ((await Deno.stat(this.#path)).size < this.#readBytes) {
      lines.push(...await this.#rest(`${this.#path}.1`));
      this.#readBytes = 0;
    }
    lines.push(...await this.#rest(this.#path));
    return lines.filter((line) => / ERROR | WARN \w+ lines lost/.test(line));
  }

  async #rest(path: string): Promise<string[]> {
    const bytes = (await Deno.readFile(path)).subarray(this.#readBytes);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#readBytes += end;
    return new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
  }
}

/** The medians of the second and of the last third: the first is for warming up. */
function growthOf(memory: number[]): { fromMiB: number; toMiB: number } {
  const third = Math.max(1, Math.floor(memory.length / 3));
  const median = (values: number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  return { fromMiB: median(memory.slice(third, 2 * third)), toMiB: median(memory.slice(-third)) };
}
