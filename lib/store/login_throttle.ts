import { networkOf } from "../base/address.ts";
import type { FamiliarNetworks } from "./familiar_networks.ts";
import { Throttle } from "./throttle.ts";

const FREE_FAILURES_OF_NAME = 3;
/** More than of a name, because a whole class may share one address. */
const FREE_FAILURES_OF_ADDRESS = 20;

/**
 * Slows down guessing at one name from many addresses, and at many names from one address. All IPv6 addresses of one
 * network of 64 bits count as one: see {@linkcode networkOf}.
 *
 * Three failures on a name, and twenty from an address, are free; what comes then waits as {@linkcode Throttle} says, and
 * a name from an address that was told to wait has its turn kept. A name that is familiar at an address waits for its own
 * failures there only, so its owner gets in whatever is tried elsewhere, and whatever else is tried at that address.
 */
export class LoginThrottle {
  #names: Throttle;
  #addresses: Throttle;
  #familiar: FamiliarNetworks;

  /**
   * Makes a throttle that has seen no attempt.
   *
   * @param familiar Which accounts are familiar where.
   */
  constructor(familiar: FamiliarNetworks) {
    this.#familiar = familiar;
    this.#names = new Throttle({ freeFailures: FREE_FAILURES_OF_NAME });
    this.#addresses = new Throttle({ freeFailures: FREE_FAILURES_OF_ADDRESS });
  }

  /**
   * Begins an attempt, which counts as failed until {@linkcode LoginThrottle.succeeded}, and gives 0; or gives how many
   * milliseconds it must wait, and keeps its turn.
   */
  begin(nameKey: string, address: string): number {
    const { pair, name, network } = this.#keysOf(nameKey, address);
    const waitMs = Math.max(
      this.#names.waitMs(name, pair),
      network === undefined ? 0 : this.#addresses.waitMs(network, pair),
    );
    if (waitMs > 0) {
      this.#names.enqueue(name, pair, waitMs);
      if (network !== undefined) this.#addresses.enqueue(network, pair, waitMs);
    } else {
      this.#names.begin(name, pair);
      if (network !== undefined) this.#addresses.begin(network, pair);
    }
    return waitMs;
  }

  /**
   * Forgets the failures of the name. Of the address it takes back this one attempt only: otherwise the owner of one
   * account could log in now and then, and guess at others without ever waiting.
   */
  succeeded(nameKey: string, address: string): void {
    const { name, network } = this.#keysOf(nameKey, address);
    this.#names.reset(name);
    if (network !== undefined) this.#addresses.takeBack(network);
  }

  /** The client, and what its failures count under: no network where the name is familiar there. */
  #keysOf(nameKey: string, address: string): { pair: string; name: string; network?: string } {
    const network = networkOf(address);
    const pair = JSON.stringify([nameKey, network]); // No name has brackets in it.
    if (this.#familiar.has(nameKey, network)) return { pair, name: pair };
    return { pair, name: nameKey, network };
  }
}
