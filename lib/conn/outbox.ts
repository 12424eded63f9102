/**
 * Delivery that never waits: what stands between a broadcast and a slow peer.
 *
 * @module
 */

import { checkLimits } from "../base/limits.ts";

/** The part of a `FramedConn` that an outbox needs. */
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
   * How many bytes may wait for the peer; one frame alone may, however long it is. Leave room for what may be said in
   * the time the peer takes for the largest message.
   *
   * @default {1048576}
   */
  maxQueuedBytes?: number;
  /**
   * How long the peer may take nothing at all, in milliseconds. It is checked with each delivery.
   *
   * @default {10000}
   */
  maxStalledMs?: number;
  /**
   * Gives the time in milliseconds; it must not jump back.
   *
   * @default {performance.now}
   */
  now?: () => number;
  /** Called once, when the peer is too slow. Nothing is delivered to it from then on. */
  onOverflow: () => void;
}

/**
 * Takes messages for one peer at once, whatever the peer does, within a limit of bytes and of time.
 *
 * All that is delivered in one turn of the event loop leaves in one write.
 */
export class Outbox {
  readonly #conn: FrameSender;
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  /** How much was written when progress was last seen, and when that was: nothing was seen before the first delivery. */
  #writtenBytes = -1;
  #progressAt = 0;
  #overflowed = false;

  /**
   * Makes an outbox in front of `conn`, which stays its owner's to close.
   *
   * @throws {RangeError} If a limit is less than 0, or not a number.
   */
  constructor(conn: FrameSender, options: OutboxOptions) {
    const { maxQueuedBytes, maxStalledMs } = options;
    checkLimits("make an outbox", { maxQueuedBytes, maxStalledMs });
    this.#conn = conn;
    this.#options = options;
    this.#now = options.now ?? timeNow;
  }

  /**
   * Delivers one frame, made by `encodeFrame`. Its bytes must not change any more: those who get the same frames share
   * them.
   */
  deliver(frame: Uint8Array): void {
    if (this.#overflowed) return;
    if (!this.#tooSlow(frame.length)) return void this.#conn.sendFrame(frame);
    this.#overflowed = true;
    this.#options.onOverflow();
  }

  #tooSlow(bytes: number): boolean {
    const { maxQueuedBytes = 1024 * 1024, maxStalledMs = 10_000 } = this.#options;
    const { queuedBytes, writtenBytes } = this.#conn;
    if (queuedBytes === 0 || writtenBytes !== this.#writtenBytes) {
      this.#writtenBytes = writtenBytes;
      this.#progressAt = this.#now();
    }
    return queuedBytes > 0 && queuedBytes + bytes > maxQueuedBytes ||
      this.#now() - this.#progressAt > maxStalledMs;
  }
}

let nowMs: number | undefined;

/** The time, read once for all who get a message: to read the clock costs more than to deliver. */
function timeNow(): number {
  if (nowMs === undefined) {
    nowMs = performance.now();
    queueMicrotask(forgetTime);
  }
  return nowMs;
}

function forgetTime(): void {
  nowMs = undefined;
}
