/**
 * Bounded, non-blocking send queue; reports slow consumers.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { checkFunctions, checkLimits, checkObject } from "../base/checks.ts";

/** The part of a `MessageConn` that an outbox needs. */
export interface FrameSender {
  /**
   * Queues one whole frame, whose bytes must not change any more. An outbox does not wait for the promise, and needs
   * no rejection handled.
   */
  sendFrame(frame: Uint8Array): Promise<void>;
  /** How many bytes the operating system has not taken yet. */
  readonly queuedBytes: number;
  /** How many bytes the operating system has taken since the start. */
  readonly writtenBytes: number;
}

/** Options for {@linkcode Outbox}. */
export interface OutboxOptions {
  /**
   * How many bytes may wait for a peer that takes none. Sixteen times as many may wait for one that reads: a burst of
   * messages is queued faster than any peer can be offered it.
   *
   * @default {1048576}
   */
  maxQueuedBytes?: number;
  /**
   * How long a peer with more than `maxQueuedBytes` waiting may take nothing, in milliseconds, and at least 64 turns of
   * the event loop. With less, only the connection's own limits apply.
   *
   * @default {2000}
   */
  maxStalledMs?: number;
  /** Called once, when the peer is too slow. Nothing is delivered to it from then on. */
  onOverflow: () => void;
}

const READING_FACTOR = 16;
// While this process is busy, no peer can take anything. In 64 turns each of thousands has been offered its bytes.
const OFFER_TURNS = 64;

/**
 * Takes messages for one peer without waiting, within limits of bytes and of time.
 *
 * All frames of one turn of the event loop leave in one write.
 *
 * @example A broadcast that no slow peer delays
 * ```ts
 * import { encodeFrame, FramedConn, Outbox } from "@framed/tcp";
 * import { memoryConnPair } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [near, far] = memoryConnPair();
 * using member = new FramedConn(near);
 * using peer = new FramedConn(far);
 * const outbox = new Outbox(member, { onOverflow: () => member.close() });
 *
 * const frame = encodeFrame("to all");
 * for (const each of [outbox]) each.deliver(frame);
 *
 * assertEquals(await peer.receive(), "to all");
 * ```
 */
export class Outbox {
  readonly #conn: FrameSender;
  readonly #maxQueuedBytes: number;
  readonly #maxStalledMs: number;
  readonly #onOverflow: () => void;
  /** While too much is queued: how much was written when progress was last seen, and when and in which turn that was. */
  #progress: { writtenBytes: number; at: number; turn: number } | undefined;
  #overflowed = false;

  /**
   * Makes an outbox in front of `conn`, which stays its owner's to close.
   *
   * @throws {RangeError} If a limit is less than 0, or not a number.
   * @throws {TypeError} If `conn` sends no frames, or `onOverflow` is not a function.
   */
  constructor(conn: FrameSender, options: OutboxOptions) {
    checkObject("make an outbox", "conn", conn, ["sendFrame"]);
    checkObject("make an outbox", "options", options);
    checkFunctions("make an outbox", { onOverflow: options.onOverflow });
    const { maxQueuedBytes = 1024 * 1024, maxStalledMs = 2000 } = options;
    checkLimits("make an outbox", { maxQueuedBytes, maxStalledMs });
    this.#conn = conn;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#maxStalledMs = maxStalledMs;
    this.#onOverflow = options.onOverflow;
  }

  /**
   * Delivers one frame, made by `encodeFrame`. Its bytes must not change any more: all receivers of a broadcast share
   * them.
   *
   * @throws {TypeError} If it is not a `Uint8Array`.
   */
  deliver(frame: Uint8Array): void {
    if (this.#overflowed) return;
    const { queuedBytes } = this.#conn;
    if (queuedBytes <= this.#maxQueuedBytes) this.#progress = undefined;
    else if (this.#isTooSlow(queuedBytes)) {
      this.#overflowed = true;
      return this.#onOverflow();
    }
    this.#conn.sendFrame(frame);
  }

  #isTooSlow(queuedBytes: number): boolean {
    const { writtenBytes } = this.#conn;
    const at = performance.now();
    const turn = currentTurn();
    if (this.#progress?.writtenBytes !== writtenBytes) this.#progress = { writtenBytes, at, turn };
    const isOffered = turn - this.#progress.turn >= OFFER_TURNS;
    return isOffered && at - this.#progress.at > this.#maxStalledMs ||
      queuedBytes > READING_FACTOR * this.#maxQueuedBytes;
  }
}

let turns = 0;
let isCounting = false;

/** Counts the turns of the event loop in which it is called. */
function currentTurn(): number {
  if (!isCounting) {
    isCounting = true;
    setImmediate(() => {
      isCounting = false;
      turns++;
    });
  }
  return turns;
}
