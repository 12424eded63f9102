/**
 * What a soak sees of its server: a line of figures now and then, and in the end whether anything only grew.
 *
 * @module
 */
import type { ChatProcess, Descriptors } from "./chat_process.ts";
import type { Ledger } from "./ledger.ts";

/** What {@linkcode Watch} looks at, and where it tells. */
export interface WatchOptions {
  /** The server. */
  server: ChatProcess;
  /** Where problems go, and where the figures of the clients are. */
  ledger: Ledger;
  /** How often the members had to connect again. */
  reconnects(): number;
  /** Takes a line. */
  tell(line: string): void;
}

/** More than a server that has been warm for a while should grow by; it is not warm in the first minutes. */
const MAX_GROWTH_MIB = 32;
const WARM_SECONDS = 300;

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

  /** Takes the measure of the server before anybody comes. */
  async begin(): Promise<void> {
    this.#idle = await this.#options.server.descriptors();
  }

  /** Tells how things stand, and notes what should not be. */
  async report(): Promise<void> {
    const { server, ledger, reconnects, tell } = this.#options;
    const { connections, memoryMiB } = await server.status();
    const open = await server.descriptors();
    this.#memory.push(memoryMiB);
    if (open && open.logs !== 1) ledger.problems.push(`the log is open ${open.logs} times`);
    ledger.problems.push(...await server.newErrors());
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

  /** Waits until nobody is connected. What is open then and was not before is a leak; so is memory that only grew. */
  async end(): Promise<void> {
    const { server, ledger, tell } = this.#options;
    while ((await server.status()).connections > 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [before, after] = [this.#idle, await server.descriptors()];
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

/** The medians of the second and of the last third: the first is for warming up. */
function growthOf(memory: number[]): { fromMiB: number; toMiB: number } {
  const third = Math.max(1, Math.floor(memory.length / 3));
  const median = (values: number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  return { fromMiB: median(memory.slice(third, 2 * third)), toMiB: median(memory.slice(-third)) };
}
