/**
 * Flood control: a burst is fine, a stream has a limit.
 *
 * @module
 */

import { MAX_DELAY_MS } from "./limits.ts";

/** Options for {@linkcode TokenBucket}. */
export interface TokenBucketOptions {
  /** How many tokens a full bucket holds: so many may be taken at once. At least 1. */
  burst: number;
  /** How many tokens flow in a second: above 0, and finite. */
  perSecond: number;
  /**
   * Gives the time in milliseconds; it must not jump back.
   *
   * @default {performance.now}
   */
  now?: () => number;
}

// A token that was waited for may be short of a whole one by what rounding has cost.
const WHOLE_TOKEN = 1 - 1e-9;

/** A bucket of tokens that refills steadily. It starts full. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #now: () => number;
  #tokens: number;
  #countedAt: number;

  /**
   * Makes a full bucket.
   *
   * @throws {RangeError} If `burst` or `perSecond` is out of range.
   */
  constructor(options: TokenBucketOptions) {
    checkRange(options);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = options.burst;
    this.#countedAt = this.#now();
  }

  /** Whether nothing was taken that has not flowed in again. */
  get full(): boolean {
    this.#refill();
    return this.#tokens === this.#options.burst;
  }

  /** Takes one token and gives 0; or takes none and gives the milliseconds until there will be one. */
  take(): number {
    this.#refill();
    if (this.#tokens < WHOLE_TOKEN) {
      return Math.ceil((1 - this.#tokens) / this.#options.perSecond * 1000);
    }
    this.#tokens--;
    return 0;
  }

  /** Takes one token, as soon as there is one. Several who wait are not served in order. */
  async wait(): Promise<void> {
    for (let ms; (ms = this.take()) > 0;) {
      const delayMs = Math.min(ms, MAX_DELAY_MS);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  #refill(): void {
    const { burst, perSecond } = this.#options;
    const now = this.#now();
    this.#tokens = Math.min(
      burst,
      this.#tokens + Math.max(0, now - this.#countedAt) / 1000 * perSecond,
    );
    this.#countedAt = now;
  }
}

function checkRange({ burst, perSecond }: TokenBucketOptions): void {
  if (!(burst >= 1)) throw new RangeError(`Cannot allow a burst of ${burst}: give at least 1`);
  if (perSecond > 0 && Number.isFinite(perSecond)) return;
  throw new RangeError(`Cannot refill by ${perSecond} a second: give a finite number above 0`);
}

// From so many buckets on, the full ones are forgotten: a full bucket says no more than none.
const MANY_BUCKETS = 1024;

/** A bucket for each user, whatever connections the user has or has had. */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  #forgetAt = MANY_BUCKETS;

  /**
   * Makes full buckets for everybody.
   *
   * @throws {RangeError} If `burst` or `perSecond` is out of range.
   */
  constructor(options: TokenBucketOptions) {
    checkRange(options);
    this.#options = options;
  }

  /** Takes one token of a user's and gives 0; or takes none and gives the milliseconds until there will be one. */
  take(key: string): number {
    const bucket = this.#buckets.getOrInsertComputed(key, () => new TokenBucket(this.#options));
    const waitMs = bucket.take();
    // Not before: a bucket that was just made is full.
    if (this.#buckets.size > this.#forgetAt) this.#forgetFull();
    return waitMs;
  }

  /** Fills the buckets of all users. */
  fill(): void {
    this.#buckets.clear();
  }

  #forgetFull(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
    this.#forgetAt = Math.max(MANY_BUCKETS, this.#buckets.size * 2);
  }
}
