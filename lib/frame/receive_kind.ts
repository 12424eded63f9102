/**
 * What a receive can ask for: a text, a body, an iterator's result, a part of the stream.
 *
 * @module
 */
import type { MessageDecoder } from "./message_decoder.ts";

/** What a receive asks for. */
export interface Kind<T> {
  /** Takes one, or `undefined` if it is not there yet. */
  take(frames: MessageDecoder): T | undefined;
  /** Given when no more will come. */
  readonly end: T;
  /** Whether it is a whole message, and not just bytes. */
  readonly isMessage: boolean;
  /** Whether it takes nothing, not even the end. */
  readonly isPeek?: boolean;
}

/** The next message as a text. */
export const TEXT: Kind<string | null> = {
  take: (frames) => frames.next(),
  end: null,
  isMessage: true,
};

/** The next message as bytes. */
export const BODY: Kind<Uint8Array<ArrayBuffer> | null> = {
  take: (frames) => frames.nextBytes(),
  end: null,
  isMessage: true,
};

/** The next text, as an iterator gives it. */
export const RESULT: Kind<IteratorResult<string, void>> = {
  take(frames) {
    const value = frames.next();
    return value === undefined ? undefined : { value, done: false };
  },
  end: { value: undefined, done: true },
  isMessage: true,
};

/** The bytes that are there, moved to `target`: how many. */
export function partInto(target: Uint8Array): Kind<number | null> {
  return {
    take: (frames) => frames.bufferedBytes === 0 ? undefined : frames.read(target),
    end: null,
    isMessage: false,
  };
}

/** Whether so many bytes are there, which stay. */
export function atLeast(bytes: number): Kind<null> {
  return {
    take: (frames) => frames.bufferedBytes < bytes ? undefined : null,
    end: null,
    isMessage: false,
    isPeek: true,
  };
}
