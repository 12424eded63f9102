/**
 * The connections that have not logged in: how many one address may have, and which of them gives way to another.
 *
 * @module
 */
import { networkOf } from "../../lib/base/address.ts";
import { Admission } from "../../lib/server/admission.ts";
import type { GoodbyeReason } from "../../lib/server/end_reason.ts";
import type { Silence } from "../../lib/server/http_protocol.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";

/** A client sends its `hello` at once: one that has had so long, in milliseconds, gives its place to another. */
const HELLO_MS = 1000;

/** A connection that has a place, and has not said hello. */
interface Silent {
  readonly since: number;
  /** Ends it. */
  giveWay: () => void;
}

/**
 * Limits the connections of each address that have not logged in. Where all places are taken, the one that has been
 * silent longest gives way; one that has said hello keeps its place until it is logged in, or has had its time.
 */
export class Unauthenticated {
  readonly #admission: Admission;
  readonly #places = new Set<ConnInfo>();
  /** By network, in the order in which they came. */
  readonly #silent = new Map<string, Map<ConnInfo, Silent>>();

  /** Takes how many places an address has; 0 sets no limit. */
  constructor(maxPerAddress: number) {
    this.#admission = new Admission({ maxConnections: 0, maxPerAddress });
  }

  /**
   * Takes a place, or returns why there is none. `giveWay` ends the connection, which has lost its place then. One that
   * has a place already keeps it, with another `giveWay`.
   */
  enter(conn: ConnInfo, giveWay: () => void): GoodbyeReason | undefined {
    const network = networkOf(conn.address);
    const known = this.#silent.get(network)?.get(conn);
    if (known) known.giveWay = giveWay;
    if (this.#places.has(conn)) return undefined;
    const refusal = this.#admission.enter(conn.address);
    if (refusal && !this.#freePlace(network)) return refusal;
    this.#places.add(conn);
    this.#silent.getOrInsertComputed(network, () => new Map())
      .set(conn, { since: performance.now(), giveWay });
    return undefined;
  }

  /** The client has said hello: from now on it does not give way. */
  greeted(conn: ConnInfo): void {
    const network = networkOf(conn.address);
    const silent = this.#silent.get(network);
    silent?.delete(conn);
    if (silent?.size === 0) this.#silent.delete(network);
  }

  /** Gives back a place, if the connection has one. */
  leave(conn: ConnInfo): void {
    if (!this.#places.delete(conn)) return;
    this.greeted(conn);
    this.#admission.leave(conn.address);
  }

  /** Until it has sent something, for `silenceMs` at most, a peer takes one of the places. */
  silence(silenceMs: number): Silence {
    return {
      silenceMs,
      endsSilent: true,
      hold: (conn, giveWay) => this.enter(conn, giveWay) === undefined,
      release: (conn) => this.leave(conn),
    };
  }

  /** Frees the place of the connection of a network that has been silent longest, if that is long. */
  #freePlace(network: string): boolean {
    const [oldest] = this.#silent.get(network) ?? [];
    if (!oldest) return false;
    const [conn, { since, giveWay }] = oldest;
    if (performance.now() - since < HELLO_MS) return false;
    this.#places.delete(conn);
    this.greeted(conn);
    giveWay();
    return true;
  }
}
