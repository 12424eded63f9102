/**
 * Turns the bytes of one direction into what is to be done with them, without a socket or a clock.
 *
 * @module
 */

import { assertFaults, type CutBy, type Faults } from "./fault_options.ts";
import { FrameCursor } from "./frame_cursor.ts";
import { seededRandom } from "../base/seeded_random.ts";

/** What a fault is called in an event and in a summary. */
export type FaultName =
  | "split"
  | "merge"
  | "delay"
  | "stall"
  | "cut"
  | "swallow"
  | "flip"
  | "insert";

/** A fault that has just been applied. */
export interface AppliedFault {
  /** Distinguishes it from the other actions and events. */
  type: "fault";
  /** Which one. */
  fault: FaultName;
  /** The place: how many bytes of this direction came before it. */
  at: number;
  /** How many bytes it concerns. */
  bytes: number;
}

/** One thing to do, in order. */
export type FaultAction =
  | {
    /** Send these bytes in a write of their own. */
    type: "piece";
    bytes: Uint8Array;
    /** Not earlier than this long after their arrival. */
    latencyMs: number;
    /** And this long after that, and after the piece before. */
    spacingMs: number;
  }
  | AppliedFault
  | {
    /** End the connection; no action follows. */
    type: "cut";
    by: CutBy;
  };

/**
 * Applies {@linkcode Faults} to the bytes of one direction.
 *
 * What happens to which byte follows from the seeds and the bytes before it, never from the clock
 * or from how the bytes were divided on arrival: the same stream gets the same faults again.
 */
export class FaultStream {
  readonly #seeds: number[];
  readonly #cursor = new FrameCursor();
  readonly #random: () => number;
  #faults: Faults;
  #received = 0;
  #delivered = 0;
  #stalled = false;

  /**
   * Starts before the first byte. Streams of other seeds get other faults.
   *
   * @throws {RangeError} When a number is out of its range.
   */
  constructor(faults: Faults, ...seeds: number[]) {
    assertFaults(faults);
    this.#faults = faults;
    this.#seeds = seeds;
    this.#random = seededRandom(...seeds, 1);
  }

  /** The faults from the next byte on. */
  get faults(): Faults {
    return this.#faults;
  }

  set faults(faults: Faults) {
    assertFaults(faults);
    const { stallMs, stallAfterBytes } = this.#faults;
    if (faults.stallMs !== stallMs || faults.stallAfterBytes !== stallAfterBytes) {
      this.#stalled = false;
    }
    this.#faults = faults;
  }

  /** Says what to do with the next bytes. An empty chunk asks whether it is already time to cut. */
  *push(chunk: Uint8Array): Generator<FaultAction> {
    const start = this.#received;
    const cutAt = this.#cutPlace(chunk);
    const passing = chunk.subarray(0, cutAt);
    if (this.#faults.swallow) {
      this.#received += passing.length;
      if (passing.length > 0) {
        yield { type: "fault", fault: "swallow", at: start, bytes: passing.length };
      }
    } else {
      yield* this.#deliver(yield* this.#corrupt(passing));
    }
    if (cutAt === undefined) return;
    yield { type: "fault", fault: "cut", at: this.#received, bytes: 0 };
    yield { type: "cut", by: this.#faults.cutBy ?? "close" };
  }

  /** How many bytes of the chunk come before the cut. */
  #cutPlace(chunk: Uint8Array): number | undefined {
    const { cutAfterBytes = Infinity } = this.#faults;
    const after = Math.max(0, cutAfterBytes - this.#received);
    let start = 0;
    for (const { frame, part, at, of, bytes } of this.#cursor.advance(chunk)) {
      const first = part === "header" ? this.#faults.cutInHeader : this.#faults.cutInBody;
      if (first !== undefined && frame >= first) {
        const inside = start + this.#cutInside(frame, of) - at;
        if (inside >= start && inside <= start + bytes.length) return Math.min(inside, after);
      }
      start += bytes.length;
    }
    return after <= chunk.length ? after : undefined;
  }

  /** Leaves at least one byte on each side of a cut; before a single byte when there is no more. */
  #cutInside(frame: number, partBytes: number): number {
    if (partBytes === 1) return 0;
    return 1 + Math.floor(seededRandom(...this.#seeds, 3, frame)() * (partBytes - 1));
  }

  *#corrupt(chunk: Uint8Array): Generator<FaultAction, Uint8Array> {
    const { flipRate = 0, insertRate = 0 } = this.#faults;
    const start = this.#received;
    this.#received += chunk.length;
    if (flipRate === 0 && insertRate === 0) return chunk;
    const corrupted: number[] = [];
    for (const [index, byte] of chunk.entries()) {
      const at = start + index;
      if (this.#random() < insertRate) {
        corrupted.push(this.#below(256));
        yield { type: "fault", fault: "insert", at, bytes: 1 };
      }
      const isFlipped = this.#random() < flipRate;
      corrupted.push(isFlipped ? byte ^ (1 << this.#below(8)) : byte);
      if (isFlipped) yield { type: "fault", fault: "flip", at, bytes: 1 };
    }
    return Uint8Array.from(corrupted);
  }

  /** A whole number from 0 up to but not including `limit`. */
  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  *#deliver(bytes: Uint8Array): Generator<FaultAction> {
    const start = this.#delivered;
    let pieces = 0;
    for (let rest = bytes; rest.length > 0; pieces++) {
      const stallMs = this.#takeStall();
      if (stallMs > 0) yield { type: "fault", fault: "stall", at: this.#delivered, bytes: 0 };
      yield* this.#piece(rest.subarray(0, this.#pieceBytes()), stallMs);
      rest = bytes.subarray(this.#delivered - start);
    }
    if (pieces > 1) yield { type: "fault", fault: "split", at: start, bytes: bytes.length };
  }

  *#piece(bytes: Uint8Array, stallMs: number): Generator<FaultAction> {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond = Infinity } = this.#faults;
    const at = this.#delivered;
    const jitter = jitterMs > 0 ? jitterMs * seededRandom(...this.#seeds, 4, at)() : 0;
    const latencyMs = delayMs + jitter;
    this.#delivered += bytes.length;
    yield {
      type: "piece",
      bytes,
      latencyMs,
      spacingMs: stallMs + bytes.length * 1000 / bytesPerSecond,
    };
    if (latencyMs > 0) yield { type: "fault", fault: "delay", at, bytes: bytes.length };
  }

  /** How long to stall here: once a connection, so the second answer is 0. */
  #takeStall(): number {
    const { stallMs = 0, stallAfterBytes = 0 } = this.#faults;
    if (this.#stalled || stallMs === 0 || this.#delivered < stallAfterBytes) return 0;
    this.#stalled = true;
    return stallMs;
  }

  /** Up to the next place where a piece ends: places, not lengths, so that arrival has no say. */
  #pieceBytes(): number {
    const { splitBytes = Infinity, bytesPerSecond = Infinity } = this.#faults;
    const { stallMs = 0, stallAfterBytes = 0 } = this.#faults;
    const most = Math.min(splitBytes, Math.ceil(bytesPerSecond / RATE_STEPS_PER_SECOND));
    const beforeStall = stallAfterBytes - this.#delivered;
    const toEnd = Number.isFinite(most) ? most - this.#delivered % most : Infinity;
    return stallMs > 0 && !this.#stalled && beforeStall > 0 ? Math.min(toEnd, beforeStall) : toEnd;
  }
}

/** A limited rate is spread over this many writes a second, so that no large piece waits for long. */
const RATE_STEPS_PER_SECOND = 20;
