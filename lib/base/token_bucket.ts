/**
 * Flood control: limits the rate, and allows bursts.
 *
 * @module
 */

import { checkObject } from "./checks.ts";
import { sleep } from "./within.ts";

/** Options for {@linkcode TokenBucket}. */
export interface TokenBucketOptions {
  /** How many tokens a full bucket holds, and may be taken at once. At least 1. */
  burst: number;
  /** How many tokens are added in a second: above 0, and finite. */
  perSecond: number;
}

// After a wait, rounding may leave a token slightly less than whole.
const WHOLE_TOKEN = 1 - 1e-9;

/**
 * A bucket of tokens that refills steadily. It starts full.
 *
 * @example A client that may send ten messages at once, and then one a second
 * ```ts
 * import { type FramedConn, serve, TokenBucket } from "@framed/tcp";
 *
 * async function handler(conn: FramedConn): Promise<void> {
 *   const bucket = new TokenBucket({ burst: 10, perSecond: 1 });
 *   for await (const text of conn) {
 *     // While it waits nothing is received: what the client sends too fast waits at its end.
 *     await bucket.wait();
 *     await conn.send(text);
 *   }
 * }
 *
 * await using server = serve(handler, { port: 0 });
 * ```
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
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
    this.#tokens = options.burst;
    this.#countedAt = performance.now();
  }

  /** Whether the bucket is full. */
  get full(): boolean {
    this.#refill();
    return this.#tokens === this.#options.burst;
  }

  /** Takes one token and returns 0; or takes none and returns the milliseconds until there will be one. */
  take(): number {
    this.#refill();
    if (this.#tokens < WHOLE_TOKEN) {
      return Math.ceil((1 - this.#tokens) / this.#options.perSecond * 1000);
    }
    this.#tokens--;
    return 0;
  }

  /** Takes one token as soon as there is one. Concurrent calls are not served in order. */
  async wait(): Promise<void> {
    for (let ms; (ms = this.take()) > 0;) await sleep(ms);
  }

  #refill(): void {
    const { burst, perSecond } = this.#options;
    const now = performance.now();
    this.#tokens = Math.min(
      burst,
      this.#tokens + Math.max(0, now - this.#countedAt) / 1000 * perSecond,
    );
    this.#countedAt = now;
  }
}

function checkRange(options: TokenBucketOptions): void {
  checkObject("fill a bucket", "options", options);
  const { burst, perSecond } = options;
  if (!(burst >= 1)) throw new RangeError(`Cannot allow a burst of ${burst}: give at least 1`);
  if (perSecond > 0 && Number.isFinite(perSecond)) return;
  throw new RangeError(`Cannot refill by ${perSecond} a second: give a finite number above 0`);
}

// From this many buckets on, full ones are dropped: a full bucket is the same as none.
const MANY_BUCKETS = 1024;

/**
 * A bucket for each key, such as an address or a user. Memory is kept only for keys whose bucket is not full.
 *
 * @example
 * ```ts
 * import { TokenBuckets } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * const logins = new TokenBuckets({ burst: 1, perSecond: 0.1 });
 * assertEquals(logins.take("192.0.2.1"), 0);
 * assertEquals(logins.take("192.0.2.2"), 0);
 * assertEquals(logins.take("192.0.2.1") > 9000, true);
 * ```
 */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  #forgetAt = MANY_BUCKETS;

  /**
   * Makes buckets, all of them full.
   *
   * @throws {RangeError} If `burst` or `perSecond` is out of range.
   */
  constructor(options: TokenBucketOptions) {
    checkRange(options);
    this.#options = options;
  }

  /** Takes one token of a key's and returns 0; or takes none and returns the milliseconds until there will be one. */
  take(key: string): number {
    const bucket = this.#buckets.getOrInsertComputed(key, () => new TokenBucket(this.#options));
    const waitMs = bucket.take();
    // Not before: a bucket that was just made is full.
    if (this.#buckets.size > this.#forgetAt) this.#forgetFull();
    return waitMs;
  }

  /** Fills all buckets. */
  fill(): void {
    this.#buckets.clear();
  }

  #forgetFull(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
    this.#forgetAt = Math.max(MANY_BUCKETS, this.#buckets.size * 2);
  }
}
