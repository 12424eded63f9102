/**
 * Frames that many connections send: joined once for all of them, and copied for none.
 *
 * @module
 */

import { checkFrame, HEADER_BYTES } from "./frame.ts";

/**
 * An immutable list of frames. `append` returns another list, and the same one to all that append the same frame to the
 * same list.
 *
 * So connections that begin with {@linkcode NO_FRAMES} and get the same frames have the same list, and share its bytes.
 */
export class SharedFrames {
  /** How many frames they are. */
  readonly count: number;
  /** How many bytes they are. */
  readonly length: number;
  readonly #before: SharedFrames | undefined;
  readonly #last: Uint8Array;
  /** What the last `append` returned: in a broadcast, one connection after the other asks for the same. */
  #next: SharedFrames | undefined;
  #bytes: Uint8Array | undefined;
  #bodyLengths: readonly number[] | undefined;

  /** Puts `last` after the frames of `before`: `append` in the form of a constructor. Throws for what is not a frame. */
  constructor(last: Uint8Array, before?: SharedFrames) {
    if (before) checkFrame(last);
    this.count = before ? before.count + 1 : 0;
    this.length = before ? before.length + last.length : 0;
    this.#before = before;
    this.#last = last;
  }

  /** This list and one more frame, whose bytes must not change any more. */
  append(frame: Uint8Array): SharedFrames {
    const next = this.#next;
    if (next !== undefined && next.#last === frame) return next;
    return this.#next = new SharedFrames(frame, this);
  }

  /** Forgets what was appended to this list: the next `append` begins anew. */
  forget(): void {
    this.#next = undefined;
  }

  /** All of them, one after the other. The bytes are shared, so they must not be changed. */
  get bytes(): Uint8Array {
    return this.#bytes ??= SharedFrames.#join(this);
  }

  /** The lengths of their bodies, in bytes. */
  get bodyLengths(): readonly number[] {
    return this.#bodyLengths ??= SharedFrames.#lengthsOf(this);
  }

  static #lengthsOf(frames: SharedFrames): number[] {
    const lengths: number[] = [];
    for (; frames.#before !== undefined; frames = frames.#before) {
      lengths.push(frames.#last.length - HEADER_BYTES);
    }
    return lengths.reverse();
  }

  static #join(frames: SharedFrames): Uint8Array {
    const joined = frames.count === 1 ? frames.#last : new Uint8Array(frames.length);
    for (let end = frames.length; frames.#before !== undefined; frames = frames.#before) {
      end -= frames.#last.length;
      if (joined !== frames.#last) joined.set(frames.#last, end);
    }
    // The list is about to be sent, so the next broadcast begins another one.
    frames.#next = undefined;
    return joined;
  }
}

/** The empty list, with which every connection begins. */
export const NO_FRAMES: SharedFrames = new SharedFrames(new Uint8Array(0));
