/**
 * What a receive can be asked for: a text, a body, an iterator's result, a part of the stream.
 *
 * @module
 */
import type { FrameDecoder } from "../frame/frame_decoder.ts";

/** One of the things that a receive gives. */
export interface ReceiveKind<T> {
  /** Takes one if it is here. */
  take(frames: FrameDecoder): T | undefined;
  /** Given when no more will come. */
  readonly end: T;
  /** Whether it is a whole message. */
  readonly isMessage: boolean;
  /** Whether it is given also after `stop`. */
  readonly outlivesStop?: boolean;
}

/** The next message as a text. */
export const TEXT: ReceiveKind<string | null> = {
  take: (frames) => frames.next(),
  end: null,
  isMessage: true,
};

/** The next message as bytes. */
export const BODY: ReceiveKind<Uint8Array<ArrayBuffer> | null> = {
  take: (frames) => frames.nextBytes(),
  end: null,
  isMessage: true,
};

/** The next text, as an iterator gives it. */
export const RESULT: ReceiveKind<IteratorResult<string, void>> = {
  take(frames) {
    const value = frames.next();
    return value === undefined ? undefined : { value, done: false };
  },
  end: { value: undefined, done: true },
  isMessage: true,
};

/** Whatever bytes are there, frames or not, moved to `target`: how many. */
export function partInto(target: Uint8Array, outlivesStop: boolean): ReceiveKind<number | null> {
  return {
    take: (frames) => {
      if (target.length === 0) return 0;
      return frames.bufferedBytes === 0 ? undefined : frames.read(target);
    },
    end: null,
    isMessage: false,
    outlivesStop,
  };
}
