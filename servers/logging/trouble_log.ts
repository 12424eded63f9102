/**
 * Rate-limits the log lines of a repeated error, and remembers it for `status`.
 *
 * @module
 */
import { messageOf } from "../../lib/base/thrown.ts";
import type { LogFile } from "../../lib/log/log_file.ts";

// While a disk is full, every message of every client fails: a line for each would bury the log.
const QUIET_MS = 10_000;

/** What reports that something has failed, and that it works again. */
export type Trouble = Pick<TroubleLog, "tell" | "end">;

/** Failures of one kind, until something works again. */
export class TroubleLog {
  readonly #log: Pick<LogFile, "error">;
  readonly #event: string;
  #quietUntil = -Infinity;
  #more = 0;
  #lasting: { since: number; error: unknown } | undefined;

  /** Starts without a failure. `event` is what the lines say. */
  constructor(log: Pick<LogFile, "error">, event: string) {
    this.#log = log;
    this.#event = event;
  }

  /** Since when it has failed, and why the last time; `undefined` while all is well. */
  get lasting(): string | undefined {
    if (!this.#lasting) return undefined;
    const { since, error } = this.#lasting;
    const at = new Date(performance.timeOrigin + since).toISOString();
    return `failing since ${at}: ${messageOf(error)}`;
  }

  /**
   * Logs a failure: the first at once, and then one line in 10 s at most, with `more`, the number of failures since the
   * line before.
   */
  readonly tell = (error: unknown): void => {
    const now = performance.now();
    this.#lasting = { since: this.#lasting?.since ?? now, error };
    if (now < this.#quietUntil) return void this.#more++;
    this.#log.error(this.#event, {
      error: String(error),
      ...(this.#more > 0 && { more: this.#more }),
    });
    this.#quietUntil = now + QUIET_MS;
    this.#more = 0;
  };

  /** To be called when it has worked. */
  readonly end = (): void => {
    this.#lasting = undefined;
  };
}
