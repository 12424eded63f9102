/**
 * A network in memory, with faults, for tests.
 *
 * @module
 */
import { type MemoryConn, type MemoryConnOptions, memoryConnPair } from "../conn/memory_conn.ts";
import { FaultLink, type LinkEnd } from "../faults/fault_link.ts";
import { FaultStream } from "../faults/fault_stream.ts";
import type { Faults } from "../faults/fault_options.ts";

/** Options for a connection in memory, and the faults on its way. */
export interface MemoryNetworkOptions extends MemoryConnOptions {
  /** Strike what the client sends to the server. */
  up?: Faults;
  /** Strike what the server sends to the client. */
  down?: Faults;
  /**
   * Chooses the places of random faults: the same seed, the same places.
   *
   * @default {1}
   */
  seed?: number;
}

/**
 * Makes the two ends of a connection, first the client's, with faults between them. Delays are timers, and `Date` is the
 * clock, so that `FakeTime` moves both.
 *
 * @throws {RangeError} When a number is out of its range.
 */
export function faultyConnPair(options: MemoryNetworkOptions): [MemoryConn, MemoryConn] {
  const { up, down, seed = 1 } = options;
  // A link takes what it delays: without one, a writer feels at once that its reader is slow.
  if (!up && !down) return memoryConnPair(options);
  const [client, near] = memoryConnPair(options);
  const [far, server] = memoryConnPair(options);
  const [nearEnd, farEnd] = [new MemoryLinkEnd(near), new MemoryLinkEnd(far)];
  const link = (from: LinkEnd, to: LinkEnd, direction: number, faults: Faults = {}) =>
    new FaultLink(from, to, new FaultStream(faults, seed, direction), () => {}, Date.now);
  carry(near, far, [link(nearEnd, farEnd, 1, up), link(farEnd, nearEnd, 2, down)]);
  return [client, server];
}

/** Runs both directions until both have finished, or one is cut. */
async function carry(near: MemoryConn, far: MemoryConn, links: FaultLink[]): Promise<void> {
  const end = (how: "close" | "reset") => {
    for (const link of links) link.stop();
    for (const conn of [near, far]) {
      if (how === "reset") conn.reset();
      else conn[Symbol.dispose]();
    }
  };
  let isOver = false;
  await Promise.all(links.map(async (link) => {
    const outcome = await link.run();
    if (isOver || outcome !== "close" && outcome !== "reset") return;
    isOver = true;
    end(outcome);
  }));
  if (!isOver) end("close");
}

class MemoryLinkEnd implements LinkEnd {
  readonly #conn: MemoryConn;

  constructor(conn: MemoryConn) {
    this.#conn = conn;
  }

  async *iterator(): AsyncGenerator<Uint8Array> {
    const p = new Uint8Array(65_536);
    for (let n; (n = await this.#conn.read(p)) !== null;) yield p.slice(0, n);
  }

  write(bytes: Uint8Array, onWritten: () => void): void {
    this.#writeAll(bytes).then(onWritten, onWritten);
  }

  end(): void {
    // It fails where the end is closed already: nothing is left to finish then.
    this.#conn.closeWrite().catch(() => {});
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }
}
