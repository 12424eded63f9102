/**
 * Who has to wait before the next attempt to log in.
 *
 * @module
 */
import { networkOf } from "../base/address.ts";
import { Throttle } from "./throttle.ts";

const FREE_FAILURES_OF_NAME = 3;
/** More than of a name, because a whole class may share one address. */
const FREE_FAILURES_OF_ADDRESS = 20;
const MAX_FAMILIAR = 10_000;

/**
 * Slows down guessing at one name from many addresses, and at many names from one address. Of IPv6 all addresses of one
 * network of 64 bits count as one: see {@linkcode networkOf}.
 *
 * Three failures on a name, and twenty from an address, are free; what comes then is told by
 * {@linkcode Throttle}. Where a name has logged in before (since the start), only failures from that
 * very address slow it, so that its owner gets in whatever others try elsewhere. What remains: from a
 * new address a person competes with the guessers for the next free moment.
 */
export class LoginThrottle {
  #names: Throttle;
  #addresses: Throttle;
  #familiar = new Set<string>();

  /**
   * Makes a throttle that has seen no attempt.
   *
   * @param now The clock, in milliseconds.
   */
  constructor(now: () => number = () => performance.now()) {
    this.#names = new Throttle({ freeFailures: FREE_FAILURES_OF_NAME, now });
    this.#addresses = new Throttle({ freeFailures: FREE_FAILURES_OF_ADDRESS, now });
  }

  /** How many milliseconds an attempt must still wait; 0 when it may begin. */
  waitMs(nameKey: string, address: string): number {
    const wait = this.#names.waitMs(this.#slotOf(nameKey, address));
    return Math.max(wait, this.#addresses.waitMs(networkOf(address)));
  }

  /** Counts an attempt that begins now, as failed until {@linkcode LoginThrottle.succeeded}. */
  begin(nameKey: string, address: string): void {
    this.#names.begin(this.#slotOf(nameKey, address));
    this.#addresses.begin(networkOf(address));
  }

  /**
   * Forgets the failures of the name. Of the address it takes back this one attempt only: or who has
   * an account of their own could log in now and then, and guess at others' without ever waiting.
   */
  succeeded(nameKey: string, address: string): void {
    this.#names.reset(this.#slotOf(nameKey, address));
    this.#addresses.takeBack(networkOf(address));
    const pair = pairOf(nameKey, address);
    this.#familiar.delete(pair); // So that the set stays in the order of last use.
    this.#familiar.add(pair);
    const [oldest] = this.#familiar;
    if (this.#familiar.size > MAX_FAMILIAR) this.#familiar.delete(oldest!);
  }

  /** Forgets who has logged in where, for when the names change hands. */
  forgetFamiliar(): void {
    this.#familiar.clear();
  }

  /** Under what the failures of a name are counted. No name holds the brackets of a pair. */
  #slotOf(nameKey: string, address: string): string {
    const pair = pairOf(nameKey, address);
    return this.#familiar.has(pair) ? pair : nameKey;
  }
}

function pairOf(nameKey: string, address: string): string {
  return JSON.stringify([nameKey, networkOf(address)]);
}
