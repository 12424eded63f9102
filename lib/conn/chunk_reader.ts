/**
 * Reads the chunks of one connection into its decoder.
 *
 * @module
 */
import { Latch } from "../base/latch.ts";
import type { MessageDecoder } from "../frame/message_decoder.ts";
import { readEnded, type Reading, readInTurn } from "../base/turns.ts";

/** Where the bytes come from: the part of a `Deno.Conn` that a reader needs. */
export interface Reader extends Pick<Deno.Conn, "read"> {
  /** It starts the reads of its socket in turn itself, with {@linkcode readInTurn}. */
  readonly readsInTurn?: boolean;
}

/**
 * How a stream ended: the peer `finished`; it is gone without the end that TLS prescribes (`hungUp`); what it sent cannot
 * be read on (`broken`); the connection was `lost`, or `closed` on this side.
 */
export interface StreamEnd {
  /** In which way it ended. */
  readonly how: "finished" | "hungUp" | "broken" | "lost" | "closed";
  /** What a read failed with, unless the peer finished. */
  readonly error?: unknown;
}

// As many as Go's bufio.Reader allows.
const MAX_EMPTY_READS = 100;
const MAX_AHEAD_BYTES = 64 * 1024;

/** Reads one chunk after the other, as long as a subclass waits for one. A read of a socket cannot be interrupted. */
export abstract class ChunkReader implements Reading, Disposable {
  /** What was read and not given yet. */
  readonly frames: MessageDecoder;
  /** How the stream ended, once it has. */
  end: StreamEnd | undefined;
  /** How many bytes were read since the start. */
  receivedBytes = 0;
  readonly #reader: Reader;
  #reading = false;
  #closed = false;
  #emptyReads = 0;
  #broken: StreamEnd | undefined;
  #discarded: Latch | undefined;
  #onEnd: ((end: StreamEnd) => void) | undefined;

  /** Reads from `reader`, which nothing else may read. */
  constructor(reader: Reader, frames: MessageDecoder) {
    this.#reader = reader;
    this.frames = frames;
  }

  /** Whether a chunk is waited for. */
  abstract get receiving(): boolean;

  /** Called when a read has ended, whatever it brought. */
  protected abstract onRead(): void;

  /** Reads a chunk when it is this connection's turn, unless that is under way. */
  protected readOn(): void {
    if (this.#reading) return;
    this.#reading = true;
    if (this.#reader.readsInTurn) this.startReading();
    else readInTurn(this);
  }

  /**
   * Reads also while no chunk is waited for, up to 64 KiB ahead, so that the end of the stream is noticed.
   *
   * @param onEnd Called when the stream ends, or at once if it has.
   */
  readAhead(onEnd: (end: StreamEnd) => void): void {
    const end = this.end ?? this.#broken;
    if (end) return onEnd(end);
    this.#onEnd = onEnd;
    this.#readAhead();
  }

  /** Gives what was taken at once. There may be room again to read ahead. */
  protected given<T>(message: T): Promise<T> {
    this.#readAhead();
    return Promise.resolve(message);
  }

  /** Where nothing more can be read, reports that, and reads ahead no more. Returns whether it is so. */
  protected reportBroken(error: unknown): boolean {
    if (!this.frames.broken) return false;
    this.#broken = { how: "broken", error };
    this.#onEnd?.(this.#broken);
    this.#onEnd = undefined;
    return true;
  }

  /** How the stream ended, if it has: also where the peer has said in it that no more will come. */
  protected takeEnd(): StreamEnd | undefined {
    if (this.frames.finished) this.#setEnd({ how: "finished" });
    return this.end;
  }

  /** Reads on until the stream ends, and drops what comes. Rejects if the connection is lost before. */
  discard(): Promise<void> {
    this.#discarded ??= new Latch();
    this.#discardOn(this.#discarded);
    return this.#discarded.promise;
  }

  /** Ends the stream as lost, also while a read is running. */
  fail(error: unknown): void {
    this.#setEnd({ how: "lost", error });
  }

  /** Gives the memory back as soon as no read is running in it. */
  [Symbol.dispose](): void {
    this.#closed = true;
    if (!this.#reading) this.frames.discard();
  }

  /** Starts to read, unless no chunk is waited for any more. */
  startReading(): void {
    if (!this.receiving && !this.#discarded && !this.#isReadingAhead) return this.#readEnded();
    try {
      this.#reader.read(this.frames.space()).then(
        (bytes) => this.#onChunk(bytes),
        (error) => this.#onFailure(error),
      );
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onChunk(bytes: number | null): void {
    if (!this.#reader.readsInTurn) readEnded();
    try {
      if (bytes === null) this.#setEnd({ how: "finished" });
      else this.#takeIn(bytes);
    } catch (error) {
      return this.#onFailure(error);
    }
    this.#readEnded();
  }

  /** Takes a chunk in. A wrapped connection may be anybody's code: what it returns is checked. */
  #takeIn(bytes: number): void {
    this.frames.filled(bytes);
    this.receivedBytes += bytes;
    this.#emptyReads = bytes === 0 ? this.#emptyReads + 1 : 0;
    if (this.#emptyReads < MAX_EMPTY_READS) return;
    throw new Error(`Cannot receive: ${MAX_EMPTY_READS} reads in a row gave no bytes`);
  }

  #onFailure(error: unknown): void {
    const isHangUp = error instanceof Deno.errors.UnexpectedEof;
    this.#setEnd({ how: this.#closed ? "closed" : isHangUp ? "hungUp" : "lost", error });
    this.#readEnded();
  }

  #readEnded(): void {
    this.#reading = false;
    if (this.#closed) this.frames.discard();
    this.onRead();
    if (this.#discarded) this.#discardOn(this.#discarded);
    else this.#readAhead();
  }

  #setEnd(end: StreamEnd): void {
    if (this.end) return;
    this.end = end;
    if (end.how !== "closed") this.#onEnd?.(end);
  }

  get #isReadingAhead(): boolean {
    return this.#onEnd !== undefined && this.frames.bufferedBytes < MAX_AHEAD_BYTES;
  }

  #readAhead(): void {
    if (this.#isReadingAhead && !this.end && !this.#closed) this.readOn();
  }

  #discardOn(discarded: Latch): void {
    if (!this.#reading) this.frames.skip();
    const end = this.takeEnd();
    if (!end) this.readOn();
    else if (end.how === "lost" || end.how === "closed") discarded.fail(end.error);
    else discarded.open();
  }
}
