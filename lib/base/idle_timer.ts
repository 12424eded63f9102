/**
 * Notices that nothing happens, without reading a clock for every byte.
 *
 * @module
 */

import { MAX_DELAY_MS } from "./max_delay.ts";

const TICKS = 4;

/** Calls `onIdle` when nothing was noted for `timeoutMs` while somebody waits; up to a quarter later, never earlier. */
export class IdleTimer implements Disposable {
  /** Whether the time has run out. Stays so until the next `note` or `start`. */
  expired = false;
  readonly #ticker: Ticker;
  readonly #onIdle: () => void;
  #waiting = false;
  #quietTicks = 0;

  /** Starts ticking; `Symbol.dispose` ends it. It does not keep the process alive. */
  constructor(timeoutMs: number, onIdle: () => void) {
    this.#onIdle = onIdle;
    this.#ticker = Ticker.join(this, Math.min(timeoutMs / TICKS, MAX_DELAY_MS));
  }

  /** Somebody begins to wait. */
  start(): void {
    this.#waiting = true;
    this.note();
  }

  /** Something happened: the time begins anew. */
  note(): void {
    this.#quietTicks = 0;
    this.expired = false;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#waiting = false;
  }

  /** A quarter of the time has passed. */
  tick(): void {
    // The first tick may come at once after a note, so it takes one tick more than fit into the timeout.
    if (!this.#waiting || ++this.#quietTicks <= TICKS) return;
    this.expired = true;
    this.#onIdle();
  }

  /** Ends the ticking. */
  [Symbol.dispose](): void {
    this.#ticker.leave(this);
  }
}

/** One interval for all timers that tick as often: a server's connections cost one, however many they are. */
class Ticker {
  static readonly #all = new Map<number, Ticker>();
  readonly #timers = new Set<IdleTimer>();
  readonly #ms: number;
  readonly #interval: ReturnType<typeof setInterval>;

  /** Lets `timer` tick every `ms` milliseconds, with the others that do. */
  static join(timer: IdleTimer, ms: number): Ticker {
    const ticker = Ticker.#all.getOrInsertComputed(ms, () => new Ticker(ms));
    ticker.#timers.add(timer);
    return ticker;
  }

  constructor(ms: number) {
    this.#ms = ms;
    this.#interval = setInterval(() => this.#timers.forEach((timer) => timer.tick()), ms);
    Deno.unrefTimer(this.#interval);
  }

  /** Lets `timer` tick no more; the last one ends the ticking. Leaving twice is harmless. */
  leave(timer: IdleTimer): void {
    if (!this.#timers.delete(timer) || this.#timers.size > 0) return;
    clearInterval(this.#interval);
    Ticker.#all.delete(this.#ms);
  }
}
