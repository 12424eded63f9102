/**
 * Coarse inactivity timer: four ticks a timeout, and no work between them.
 *
 * @module
 */
import { timerDelay } from "./numbers.ts";

/** How often a timer asks for the progress within its timeout. */
export const TICKS = 4;

/** Something that should make progress. */
export interface Progressing {
  /**
   * A number that changes with each progress. `undefined` stops the clock, and `NaN` starts the time anew: for what
   * expects no progress at the moment.
   */
  progress(): number | undefined;
  /** Called when there was no progress for the whole timeout. Then the time starts anew. */
  onInactive(): void;
}

/** Watches for a timeout without progress, which it reports up to a quarter later, never earlier. */
export class InactivityTimer implements Disposable {
  readonly #ticker: Ticker;
  readonly #watched: Progressing;
  #seen: number | undefined = NaN;
  #quietTicks = 0;

  /** Starts to watch; `Symbol.dispose` ends it. It does not keep the process alive. */
  constructor(timeoutMs: number, watched: Progressing) {
    this.#watched = watched;
    this.#ticker = Ticker.join(this, timerDelay(timeoutMs / TICKS));
  }

  /** A quarter of the time has passed. */
  tick(): void {
    const progress = this.#watched.progress();
    if (progress === undefined) return;
    if (progress !== this.#seen) {
      this.#seen = progress;
      this.#quietTicks = 0;
    } else if (++this.#quietTicks === TICKS) {
      this.#seen = NaN;
      this.#watched.onInactive();
    }
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#ticker.leave(this);
  }
}

/** One interval for all timers that tick as often: the connections of a server cost one, however many they are. */
class Ticker {
  static readonly #all = new Map<number, Ticker>();
  readonly #timers = new Set<InactivityTimer>();
  readonly #ms: number;
  readonly #interval: ReturnType<typeof setInterval>;

  /** Lets `timer` tick every `ms` milliseconds, with the others that do. */
  static join(timer: InactivityTimer, ms: number): Ticker {
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
  leave(timer: InactivityTimer): void {
    if (!this.#timers.delete(timer) || this.#timers.size > 0) return;
    clearInterval(this.#interval);
    Ticker.#all.delete(this.#ms);
  }
}
