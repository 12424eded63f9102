/**
 * Guessing made slow.
 *
 * @module
 */

/** Options for {@linkcode Throttle}. */
export interface ThrottleOptions {
  /** So many attempts may fail before the next must wait, for people who mistype. */
  freeFailures: number;
  /**
   * The first delay in milliseconds; each further failure doubles it.
   *
   * @default {1_000}
   */
  firstDelayMs?: number;
  /**
   * The longest delay in milliseconds. It is also the time in which one failure is forgotten.
   *
   * @default {30_000}
   */
  maxDelayMs?: number;
  /**
   * How many keys are remembered; beyond it, the one unused for longest is forgotten.
   *
   * @default {10_000}
   */
  maxKeys?: number;
  /**
   * The clock, in milliseconds; by default one that nobody can set back.
   *
   * @default {() => performance.now()}
   */
  now?(): number;
}

interface Failures {
  /** How many were not forgotten at `forgottenAt`. */
  count: number;
  /** When the last of them began: the delay counts from there. */
  lastAt: number;
  /** When one was forgotten last, or the first began: from there the next is forgotten, whatever is tried meanwhile. */
  forgottenAt: number;
}

const NONE: Failures = { count: 0, lastAt: 0, forgottenAt: 0 };

/**
 * Counts failed attempts by key (a name, an address) and tells how long the next must wait: nothing
 * for the first few, then one second, two, four, up to `maxDelayMs`.
 *
 * - **Counted at the start.** An attempt is a failure from the moment it begins until it is taken
 *   back, so a hundred guesses sent at once are slowed as if sent in turn.
 * - **No lock-out.** An attempt that is turned away is not counted: whatever others do, nobody
 *   is told to wait for longer than `maxDelayMs`.
 * - **Forgetful.** One failure is forgotten every `maxDelayMs`, and memory is bounded.
 */
export class Throttle {
  #freeFailures: number;
  #firstDelayMs: number;
  #maxDelayMs: number;
  #maxKeys: number;
  #now: () => number;
  #maxCount: number;
  #failures = new Map<string, Failures>();

  /**
   * Makes a throttle that has seen no failure.
   *
   * @param options Its delays and limits.
   */
  constructor(options: ThrottleOptions) {
    const { firstDelayMs = 1_000, maxDelayMs = 30_000, maxKeys = 10_000 } = options;
    this.#freeFailures = options.freeFailures;
    this.#firstDelayMs = firstDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#maxKeys = maxKeys;
    this.#now = options.now ?? (() => performance.now());
    // Counting on past the longest delay would only make forgetting slower.
    this.#maxCount = options.freeFailures + Math.ceil(Math.log2(maxDelayMs / firstDelayMs));
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /** How many whole milliseconds an attempt must still wait; 0 when it may begin. */
  waitMs(key: string): number {
    // What was forgotten since does not matter: no delay is longer than that takes.
    const { count, lastAt } = this.#failures.get(key) ?? NONE;
    if (count < this.#freeFailures || count === 0) return 0;
    const delayMs = Math.min(
      this.#maxDelayMs,
      this.#firstDelayMs * 2 ** (count - this.#freeFailures),
    );
    const elapsedMs = Math.max(0, this.#now() - lastAt);
    return Math.max(0, Math.ceil(delayMs - elapsedMs));
  }

  /** Counts an attempt that begins now as failed. */
  begin(key: string): void {
    const now = this.#now();
    const { count, forgottenAt } = this.#remembered(key) ?? { count: 0, forgottenAt: now };
    this.#failures.delete(key); // So that the map stays in the order of last use.
    this.#failures.set(key, {
      count: Math.min(count + 1, this.#maxCount),
      lastAt: now,
      forgottenAt,
    });
    this.#forgetOldest();
  }

  /** Takes one attempt back: it did not fail after all. */
  takeBack(key: string): void {
    const failures = this.#failures.get(key);
    if (failures !== undefined) failures.count = Math.max(0, failures.count - 1);
  }

  /** Forgets all failures of a key. */
  reset(key: string): void {
    this.#failures.delete(key);
  }

  /** The failures of a key that are not forgotten yet. */
  #remembered(key: string): Failures | undefined {
    const failures = this.#failures.get(key);
    if (!failures) return undefined;
    const elapsedMs = Math.max(0, this.#now() - failures.forgottenAt);
    const forgotten = Math.floor(elapsedMs / this.#maxDelayMs);
    if (forgotten >= failures.count) return undefined;
    return {
      ...failures,
      count: failures.count - forgotten,
      forgottenAt: failures.forgottenAt + forgotten * this.#maxDelayMs,
    };
  }

  #forgetOldest(): void {
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= this.#maxKeys && this.#remembered(key)) return;
      this.#failures.delete(key);
    }
  }
}
