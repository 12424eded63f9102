/**
 * The bytes that one connection has read and not used yet.
 *
 * @module
 */
import { giveBuffer, SMALL_BUFFER_BYTES, takeBuffer } from "./buffer_pool.ts";

const NOTHING = new Uint8Array(0);

// The space for a chunk grows and shrinks in these steps: 256 B, 4 KiB, 64 KiB.
const SPACE_STEP = 16;
const MAX_SPACE_BYTES = 64 * 1024;

/**
 * A buffer that chunks are read into at one end, and frames are taken from at the other.
 *
 * It is small at rest and grows while chunks fill it. Its size follows the bytes received, never a header.
 */
export class ReadBuffer {
  /** Holds the unused bytes from `usedTo` to `filledTo`. */
  bytes: Uint8Array<ArrayBuffer> = NOTHING;
  /** Where the unused bytes begin. */
  usedTo = 0;
  /** Where the unused bytes end. */
  filledTo = 0;
  /** How many bytes of the stream were used so far. */
  position = 0;
  #spaceBytes = SMALL_BUFFER_BYTES;
  /** The last chunk was small. It may be the end of a large one, so the space shrinks at the second in a row. */
  #wasSmall = false;

  /** How many bytes are buffered and not used yet. */
  get bufferedBytes(): number {
    return this.filledTo - this.usedTo;
  }

  /** Room for the next chunk, at least one byte. It belongs to the caller until `filled`. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.bufferedBytes === 0) this.usedTo = this.filledTo = 0;
    // Room for a frame larger than the buffer doubles each time it is full.
    const wanted = Math.max(this.#spaceBytes, this.bufferedBytes * 2);
    const oversized = this.bytes.length >= wanted * SPACE_STEP;
    const room = this.bytes.length - this.filledTo;
    if (oversized || room < this.#spaceBytes / 2) this.#move(wanted, oversized);
    return this.filledTo === 0 ? this.bytes : this.bytes.subarray(this.filledTo);
  }

  /**
   * Takes in the chunk that was read into the first `chunkBytes` bytes of the last `space()`.
   *
   * @throws {RangeError} If that cannot be: it is not a whole number from 0 to the length of the space.
   */
  filled(chunkBytes: number): void {
    const spaceBytes = this.bytes.length - this.filledTo;
    if (!(Number.isInteger(chunkBytes) && chunkBytes >= 0 && chunkBytes <= spaceBytes)) {
      throw new RangeError(
        `Cannot receive: a read into ${spaceBytes} bytes returned ${chunkBytes}`,
      );
    }
    this.filledTo += chunkBytes;
    const isSmall = chunkBytes < this.#spaceBytes / SPACE_STEP;
    if (chunkBytes === spaceBytes) {
      this.#spaceBytes = Math.min(this.#spaceBytes * SPACE_STEP, MAX_SPACE_BYTES);
    } else if (isSmall && this.#wasSmall) {
      this.#spaceBytes = Math.max(this.#spaceBytes / SPACE_STEP, SMALL_BUFFER_BYTES);
    }
    this.#wasSmall = isSmall;
  }

  /** Takes in a copy of a chunk that was not read into `space()`. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.space().length);
      this.bytes.set(part, this.filledTo);
      this.filled(part.length);
      at += part.length;
    }
  }

  /** Marks so many bytes at the front as used. */
  use(bytes: number): void {
    this.usedTo += bytes;
    this.position += bytes;
  }

  /** Forgets the unused bytes and gives the memory back. */
  discard(): void {
    this.use(this.bufferedBytes);
    giveBuffer(this.bytes);
    this.bytes = NOTHING;
    this.usedTo = this.filledTo = 0;
  }

  /** Moves the unused bytes to the front of a buffer of at least `bytes` bytes. */
  #move(bytes: number, oversized: boolean): void {
    const { bufferedBytes } = this;
    if (oversized || this.bytes.length < bytes) {
      const moved = takeBuffer(bytes);
      moved.set(this.bytes.subarray(this.usedTo, this.filledTo));
      giveBuffer(this.bytes);
      this.bytes = moved;
    } else {
      this.bytes.copyWithin(0, this.usedTo, this.filledTo);
    }
    this.usedTo = 0;
    this.filledTo = bufferedBytes;
  }
}
