/**
 * Counts the frames of a stream in which all of them have the same length, and checks that they have.
 *
 * @module
 */
import { HEADER_BYTES, writeHeader } from "../../lib/frame/frame.ts";

/** Looks at the headers only, so that it costs little beside what is measured. */
export class FrameCounter {
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #frameBytes: number;
  /** Where the frame under way began, counted from the next chunk's beginning: 0 or less. */
  #start = 0;

  /** Expects bodies of `bodyBytes` bytes. */
  constructor(bodyBytes: number) {
    writeHeader(this.#header, 0, bodyBytes);
    this.#frameBytes = HEADER_BYTES + bodyBytes;
  }

  /**
   * Returns how many frames end in the next chunk of the stream.
   *
   * @throws {Error} If a header announces another length.
   */
  count(chunk: Uint8Array): number {
    let frames = 0;
    let start = this.#start;
    while (start < chunk.length) {
      this.#check(chunk, start);
      if (start + this.#frameBytes > chunk.length) break;
      start += this.#frameBytes;
      frames++;
    }
    this.#start = start - chunk.length;
    return frames;
  }

  #check(chunk: Uint8Array, start: number): void {
    for (let i = Math.max(0, -start); i < HEADER_BYTES && start + i < chunk.length; i++) {
      if (chunk[start + i] !== this.#header[i]) {
        throw new Error("The server sent a frame of another length than it got");
      }
    }
  }
}
