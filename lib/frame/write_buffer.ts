/**
 * The bytes that one connection is to write.
 *
 * @module
 */
import { giveBuffer, takeBuffer } from "./buffer_pool.ts";

const NOTHING = new Uint8Array(0);

/** A buffer that grows while frames are added at its end, and is handed over as a whole. */
export class WriteBuffer {
  /** Holds what was added, up to `end`. */
  bytes: Uint8Array<ArrayBuffer> = NOTHING;
  /** Where the next frame begins. */
  end = 0;
  #taken: Uint8Array<ArrayBuffer> = NOTHING;

  /** Makes room for so many bytes behind what was added. */
  reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.bytes.length) return;
    const grown = takeBuffer(Math.max(needed, this.bytes.length * 2));
    if (this.end > 0) grown.set(this.bytes.subarray(0, this.end));
    if (this.bytes !== NOTHING) giveBuffer(this.bytes);
    this.bytes = grown;
  }

  /** The room from `offset` bytes behind what was added. */
  room(offset: number): Uint8Array<ArrayBuffer> {
    const at = this.end + offset;
    return at === 0 ? this.bytes : this.bytes.subarray(at);
  }

  /** Adds a copy of bytes. */
  add(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Hands over what was added. It is good until `release`, which comes before the next `take`. */
  take(): Uint8Array {
    this.#taken = this.bytes;
    const added = this.bytes.subarray(0, this.end);
    this.bytes = NOTHING;
    this.end = 0;
    return added;
  }

  /** Takes back what `take` handed over, for use by any connection. */
  release(): void {
    giveBuffer(this.#taken);
    this.#taken = NOTHING;
  }

  /** Forgets what was added and gives the memory back. */
  clear(): void {
    giveBuffer(this.bytes);
    this.bytes = NOTHING;
    this.end = 0;
  }
}
