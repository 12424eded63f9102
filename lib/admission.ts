/**
 * Who may come in: so many connections in all, and so many from one address.
 *
 * @module
 */
import type { GoodbyeReason } from "./goodbye.ts";

/** Options for {@linkcode Admission}. */
export interface AdmissionOptions {
  /**
   * How many connections are served at once; the excess get a goodbye. 0 sets no limit.
   *
   * @default {10000}
   */
  maxConnections?: number;
  /**
   * How many connections from one address are served at once; the excess get a goodbye. 0 sets no limit.
   *
   * @default {0}
   */
  maxPerAddress?: number;
}

/** Counts the connections that are served. Every `enter` that found a place needs its `leave`. */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #perAddress = new Map<string, number>();
  #connections = 0;

  /** Begins with nobody. */
  constructor(options: AdmissionOptions = {}) {
    this.#maxConnections = options.maxConnections ?? 10_000;
    this.#maxPerAddress = options.maxPerAddress ?? 0;
  }

  /** Takes a place for a peer, or tells why there is none. */
  enter(address: string): GoodbyeReason | undefined {
    const fromAddress = this.#perAddress.get(address) ?? 0;
    if (this.#maxConnections && this.#connections >= this.#maxConnections) return "full";
    if (this.#maxPerAddress && fromAddress >= this.#maxPerAddress) return "crowded";
    this.#connections++;
    this.#perAddress.set(address, fromAddress + 1);
    return undefined;
  }

  /** Gives a place back. */
  leave(address: string): void {
    const left = this.#perAddress.get(address)! - 1;
    this.#connections--;
    // Addresses that left must not pile up.
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
