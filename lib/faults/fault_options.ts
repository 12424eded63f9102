/**
 * What may go wrong in one direction of a connection.
 *
 * @module
 */

/**
 * The faults of one direction. Those left out do not happen; all may be combined.
 *
 * Places are counted per connection from its first byte. Faults strike in this order: cut,
 * swallow, flip, insert, split, and then the ones that only take time.
 */
export interface Faults {
  /** Sends pieces of at most this many bytes. The receiver's system may join them again. */
  splitBytes?: number;
  /** Collects what arrives within this many milliseconds and sends it as one. */
  mergeMs?: number;
  /** Delivers everything this many milliseconds later. */
  delayMs?: number;
  /** Adds up to this many milliseconds to the delay, different from place to place. */
  jitterMs?: number;
  /** Delivers at most this many bytes a second. */
  bytesPerSecond?: number;
  /** Stops for this many milliseconds, once. */
  stallMs?: number;
  /**
   * How many bytes are delivered before the stall.
   *
   * @default {0}
   */
  stallAfterBytes?: number;
  /** Cuts the connection after this many bytes, at once when more have passed; 0 is before the first. */
  cutAfterBytes?: number;
  /** Cuts inside the header of this frame or the next to come, counting from 1. */
  cutInHeader?: number;
  /** Cuts inside the body of this frame or the next that has one, counting from 1. */
  cutInBody?: number;
  /**
   * How a cut is made: `close` ends both directions, `reset` discards what is on its way and tells
   * both sides `ConnectionReset`, `half-close` ends this direction only.
   *
   * @default {"close"}
   */
  cutBy?: CutBy;
  /** Receives everything and delivers nothing. */
  swallow?: boolean;
  /** How likely each byte is to have one bit flipped, from 0 to 1. */
  flipRate?: number;
  /** How likely a stray byte is before each byte, from 0 to 1. */
  insertRate?: number;
}

/** The faults of both directions. */
export interface FaultSettings {
  /** Strike what the client sends to the server. */
  up?: Faults;
  /** Strike what the server sends to the client. */
  down?: Faults;
}

/** The ways to end a connection that was not at its end. */
export type CutBy = "close" | "reset" | "half-close";

const LEAST: Record<Exclude<keyof Faults, "cutBy" | "swallow">, number> = {
  splitBytes: 1,
  mergeMs: 0,
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: 1,
  stallMs: 0,
  stallAfterBytes: 0,
  cutAfterBytes: 0,
  cutInHeader: 1,
  cutInBody: 1,
  flipRate: 0,
  insertRate: 0,
};

/** A number of a fault that is out of its range. */
export interface WrongFault {
  /** Which. */
  name: string;
  /** What it is. */
  value: number;
  /** What it may be, in words. */
  expected: string;
}

/**
 * Checks the numbers of faults: those of bytes and frames are whole, those of times, rates and speeds need not be.
 *
 * @throws {RangeError} When a number is out of its range.
 */
export function assertFaults(faults: Faults): void {
  const wrong = wrongFault(faults);
  if (!wrong) return;
  const { name, value, expected } = wrong;
  throw new RangeError(`Cannot apply faults: ${name} is ${value}, not ${expected}`);
}

/** The first number that `assertFaults` throws at. */
export function wrongFault(faults: Faults): WrongFault | undefined {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = faults[name as keyof typeof LEAST];
    const most = name.endsWith("Rate") ? 1 : Infinity;
    // There is no place between two bytes, and a piece that ends there would be empty.
    const isPlace = !/(Ms|Rate|PerSecond)$/.test(name);
    if (value === undefined) continue;
    if (value >= least && value <= most && (!isPlace || value === Math.trunc(value))) continue;
    const range = most === 1 ? "from 0 to 1" : `from ${least}`;
    const kind = isPlace ? "a whole number" : "a number";
    return { name, value, expected: `${kind} ${range}` };
  }
  return undefined;
}
