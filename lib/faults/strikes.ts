/**
 * Where in a stream a rare fault strikes.
 *
 * @module
 */

import { seededRandom } from "../base/seeded_random.ts";

/** Chooses places of a stream at random: which ones follows from the seeds and the rate, not from how the stream is divided. */
export class Strikes {
  readonly #random: () => number;
  #rate = 0;
  #next = Infinity;

  /** Strikes of other seeds hit other places. */
  constructor(...seeds: number[]) {
    this.#random = seededRandom(...seeds);
  }

  /** Whether this place is struck; places are asked about in order. */
  strike(rate: number, at: number): boolean {
    if (rate !== this.#rate) {
      this.#rate = rate;
      this.#next = at + this.#gap();
    }
    if (at < this.#next) return false;
    this.#next = at + 1 + this.#gap();
    return true;
  }

  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** How many places go free: one draw for many bytes. */
  #gap(): number {
    if (this.#rate === 0) return Infinity;
    // Not Math.log(1 - rate): beside 1 a tiny rate is rounded away.
    return Math.floor(Math.log1p(-this.#random()) / Math.log1p(-this.#rate));
  }
}
