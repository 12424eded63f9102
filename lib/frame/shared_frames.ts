/**
 * What many connections are to send: joined once for all of them, and copied for none.
 *
 * @module
 */

/**
 * Frames in their order. They never change: `append` gives other ones, and the same ones to everybody who appends the
 * same frame to the same frames.
 *
 * So connections that begin with {@linkcode NO_FRAMES} and get the same frames end up with the same object, without
 * knowing of each other, and share its bytes. One that gets something of its own goes its own way from there.
 */
export class SharedFrames {
  /** How many frames they are. */
  readonly count: number;
  /** How many bytes they are. */
  readonly length: number;
  readonly #before: SharedFrames | undefined;
  readonly #last: Uint8Array;
  /** What the last `append` gave: in a broadcast, one after the other asks for the same. */
  #next: SharedFrames | undefined;
  #bytes: Uint8Array | undefined;

  /** Puts `last` after the frames of `before`: `append` in the form of a constructor. */
  constructor(last: Uint8Array, before?: SharedFrames) {
    this.count = before ? before.count + 1 : 0;
    this.length = before ? before.length + last.length : 0;
    this.#before = before;
    this.#last = last;
  }

  /** These frames and one more, whose bytes must not change any more. */
  append(frame: Uint8Array): SharedFrames {
    const next = this.#next;
    if (next !== undefined && next.#last === frame) return next;
    return this.#next = new SharedFrames(frame, this);
  }

  /** Lets go of what was appended to these frames: who appends to them next gets a chain of its own. */
  forget(): void {
    this.#next = undefined;
  }

  /** All of them, one after the other. The bytes are shared, so they must not be changed. */
  get bytes(): Uint8Array {
    return this.#bytes ??= SharedFrames.#join(this);
  }

  static #join(frames: SharedFrames): Uint8Array {
    const joined = frames.count === 1 ? frames.#last : new Uint8Array(frames.length);
    for (let end = frames.length; frames.#before !== undefined; frames = frames.#before) {
      end -= frames.#last.length;
      if (joined !== frames.#last) joined.set(frames.#last, end);
    }
    // They are about to be sent: nobody begins with them any more, so they need not be kept for that.
    frames.#next = undefined;
    return joined;
  }
}

/** No frame: what everybody begins with. */
export const NO_FRAMES: SharedFrames = new SharedFrames(new Uint8Array(0));
