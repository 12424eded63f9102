/**
 * One direction of a connection in memory.
 *
 * @module
 */

/** Where a conn's `read` gets its bytes: at once, or after a change. */
export interface ByteSource {
  /** Fills `p` as far as it can: bytes, `null` at the end, or a promise of when to ask again. */
  take(p: Uint8Array): number | null | Promise<void>;
  /** The reader has closed; a waiting one is to ask again. */
  abandon(): void;
  /** The connection is reset: what waits is lost, and both ends fail. */
  reset(): void;
}

/** Where a conn's `write` puts its bytes: at once, or after a change. */
export interface ByteSink {
  /** Takes bytes from the start of `p`: how many, or a promise of when to ask again. */
  put(p: Uint8Array): number | Promise<void>;
  /** The writer has finished; a waiting one is to ask again. */
  end(): void;
  /** The connection is reset: what waits is lost, and both ends fail. */
  reset(): void;
}

/** A change that can be waited for, again and again. */
export class Change {
  #next = Promise.withResolvers<void>();

  /** Settles at the next {@linkcode Change.notify}. */
  get promise(): Promise<void> {
    return this.#next.promise;
  }

  /** Settles the promise, and makes the next one. */
  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }
}

/** Holds the bytes written at one end until they are read at the other. */
export class MemoryPipe implements ByteSource, ByteSink {
  readonly #chunkBytes: number;
  readonly #highWaterMarkBytes: number;
  readonly #change = new Change();
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #readerGone = false;
  #broken = false;
  #wasReset = false;

  /** Makes an empty pipe; both numbers are at least 1. */
  constructor(chunkBytes: number, highWaterMarkBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#highWaterMarkBytes = highWaterMarkBytes;
  }

  /** Takes what has been put, oldest first. */
  take(p: Uint8Array): number | null | Promise<void> {
    this.#assertNotReset();
    if (this.#bytes === 0) return this.#ended ? null : this.#change.promise;
    const wanted = Math.min(p.length, this.#chunkBytes, this.#bytes);
    for (let taken = 0; taken < wanted;) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, wanted - taken);
      p.set(part, taken);
      taken += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#bytes -= wanted;
    this.#change.notify();
    return wanted;
  }

  /** Puts as much as fits below the high-water mark. */
  put(p: Uint8Array): number | Promise<void> {
    this.#assertNotReset();
    if (this.#ended || this.#broken) throw new Deno.errors.BrokenPipe("Broken pipe");
    if (this.#readerGone) {
      // As on a socket, the first write after the peer has closed still succeeds.
      this.#broken = true;
      return p.length;
    }
    const room = Math.min(this.#chunkBytes, this.#highWaterMarkBytes - this.#bytes);
    if (room <= 0) return this.#change.promise;
    const chunk = p.slice(0, room);
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#change.notify();
    return chunk.length;
  }

  /** Lets the reader see the end after what was put. */
  end(): void {
    this.#ended = true;
    this.#change.notify();
  }

  /** Drops what was put and fails the writer, as a reset does. */
  abandon(): void {
    this.#readerGone = true;
    // With unread bytes a socket resets the connection at once, and the next write fails.
    this.#broken = this.#bytes > 0;
    this.#clear();
  }

  /** Drops what was put, and fails both ends. */
  reset(): void {
    this.#wasReset = true;
    this.#clear();
  }

  #clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#change.notify();
  }

  #assertNotReset(): void {
    if (this.#wasReset) throw new Deno.errors.ConnectionReset("Connection reset by peer");
  }
}
