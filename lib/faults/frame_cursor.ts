/**
 * The position in a stream of frames, without keeping its bytes.
 *
 * @module
 */

import { HEADER_BYTES } from "../frame/frame.ts";

/** A run of bytes that belong to the same part of the same frame. */
export interface FrameSegment {
  /** Counts the frames of this stream from 1. */
  frame: number;
  /** The part that the bytes belong to. An empty body has no segment. */
  part: "header" | "body";
  /** How many bytes of the part came before these. */
  at: number;
  /** How many bytes the part has. */
  of: number;
  /** The bytes themselves, a view into what was given. */
  bytes: Uint8Array;
}

/** Follows a stream of frames in chunks of any size, in constant memory, whatever a header says. */
export class FrameCursor {
  #frame = 1;
  #part: "header" | "body" = "header";
  #at = 0;
  #bodyBytes = 0;

  /** Where the stream stands: the part that the next byte belongs to; `at` 0 of a header is between frames. */
  get position(): Omit<FrameSegment, "bytes"> {
    const of = this.#part === "header" ? HEADER_BYTES : this.#bodyBytes;
    return { frame: this.#frame, part: this.#part, at: this.#at, of };
  }

  /** Divides a chunk where a part ends, and moves on. */
  *advance(chunk: Uint8Array): Generator<FrameSegment> {
    while (chunk.length > 0) {
      const position = this.position;
      const bytes = chunk.subarray(0, position.of - position.at);
      chunk = chunk.subarray(bytes.length);
      this.#move(bytes);
      yield { ...position, bytes };
    }
  }

  #move(bytes: Uint8Array): void {
    if (this.#part === "header") {
      for (const byte of bytes) this.#bodyBytes = this.#bodyBytes * 256 + byte;
    }
    this.#at += bytes.length;
    const { part, at, of } = this.position;
    if (at < of) return;
    this.#at = 0;
    if (part === "header" && this.#bodyBytes > 0) {
      this.#part = "body";
    } else {
      this.#part = "header";
      this.#bodyBytes = 0;
      this.#frame++;
    }
  }
}
