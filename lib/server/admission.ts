/**
 * Limits of connections: in all, from one address, and of how often one address may connect.
 *
 * @module
 */
import { networkOf } from "../base/address.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import { TokenBuckets } from "../base/token_bucket.ts";

/** How many connections a server takes. */
export interface AdmissionOptions {
  /**
   * How many connections are served at once; the excess are refused. 0 sets no limit.
   *
   * @default {10000}
   */
  maxConnections?: number;
  /**
   * How many connections from one address are served at once. Also how often one may connect: twice as many at once, then
   * as many a second. The excess are refused. An IPv6 address stands for its network of 64 bits. 0 sets no limit.
   *
   * @default {0}
   */
  maxPerAddress?: number;
}

/** Counts the connections that are served. Every `enter` that did not refuse needs its `leave`. */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #perNetwork = new Map<string, number>();
  readonly #arrivals: TokenBuckets | undefined;
  #connections = 0;

  /** Begins without connections. */
  constructor(options: AdmissionOptions = {}) {
    this.#maxConnections = options.maxConnections ?? 10_000;
    this.#maxPerAddress = options.maxPerAddress ?? 0;
    const isUnlimited = this.#maxPerAddress === 0 || this.#maxPerAddress === Infinity;
    this.#arrivals = isUnlimited ? undefined : new TokenBuckets({
      burst: 2 * this.#maxPerAddress,
      perSecond: this.#maxPerAddress,
    });
  }

  /** Counts a connection in, or returns why it is refused. */
  enter(address: string): GoodbyeReason | undefined {
    const network = networkOf(address);
    if (this.#maxConnections && this.#connections >= this.#maxConnections) return "full";
    if (this.#isCrowded(network)) return "crowded";
    this.#connections++;
    this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
    return undefined;
  }

  /** Counts a connection out. */
  leave(address: string): void {
    const network = networkOf(address);
    const left = this.#perNetwork.get(network)! - 1;
    this.#connections--;
    // Networks without connections must not pile up.
    if (left > 0) this.#perNetwork.set(network, left);
    else this.#perNetwork.delete(network);
  }

  #isCrowded(network: string): boolean {
    if (this.#arrivals === undefined) return false;
    return (this.#perNetwork.get(network) ?? 0) >= this.#maxPerAddress ||
      this.#arrivals.take(network) > 0;
  }
}
