/**
 * One end of a message port that carries bytes both ways, as between two threads.
 *
 * @module
 */
import { type CarriedError, packError, unpackError } from "./carried_error.ts";
import { type ByteSink, type ByteSource, Change } from "../../lib/conn/memory_pipe.ts";

/** What the two ends say to each other. */
type PortMessage =
  | { type: "data"; chunk: Uint8Array<ArrayBuffer> }
  | { type: "taken"; bytes: number }
  | { type: "end" }
  | { type: "close"; error?: CarriedError }
  | { type: "note"; note: unknown };

/** Options for {@linkcode PortPipe}. */
export interface PortPipeOptions {
  /**
   * So many bytes may be on their way before the writer waits for the reader; one write may go beyond it.
   *
   * @default {262_144}
   */
  windowBytes?: number;
  /** Told of each note from the other end, after the bytes that were given before it have arrived. */
  onNote?: (note: unknown) => void;
  /** Told when the other end no longer exists, if the port tells: those of `node:worker_threads` do. */
  onGone?: () => void;
}

/**
 * Moves chunks of bytes through a port. What was given belongs to the other end: it is transferred, not copied.
 *
 * - **Backpressured.** The reader tells what it has taken, half a window at a time, and the writer waits for that.
 *   A chunk counts with its whole buffer, so that memory is bounded also where chunks are small views of large buffers.
 * - **Two directions.** Each ends by itself; `abandon` and `fail` end both.
 * - **One order.** Bytes, notes and ends arrive as they were sent.
 */
export class PortPipe implements ByteSource, ByteSink, Disposable {
  /** Settles when the other end neither reads nor writes any more. */
  readonly closed: Promise<void>;
  readonly #port: MessagePort;
  readonly #windowBytes: number;
  readonly #options: PortPipeOptions;
  readonly #change = new Change();
  readonly #close: () => void;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** Given to the other end and not taken there yet. */
  #givenBytes = 0;
  /** Taken here, and the other end was not told yet. */
  #takenBytes = 0;
  #ended = false;
  #abandoned = false;
  #peerEnded = false;
  #peerClosed = false;
  #failure: Error | undefined;

  /** Takes over the port. */
  constructor(port: MessagePort, options: PortPipeOptions = {}) {
    ({ promise: this.closed, resolve: this.#close } = Promise.withResolvers<void>());
    this.#port = port;
    this.#windowBytes = options.windowBytes ?? 256 * 1024;
    this.#options = options;
    port.addEventListener("close", () => this.#gone());
    port.onmessage = ({ data }) => this.#receive(data);
  }

  /** Copies to `p` what has arrived: for a `read`. */
  take(p: Uint8Array): number | null | Promise<void> {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return this.#atEnd() ? null : this.#change.promise;
    const part = chunk.subarray(0, p.length);
    p.set(part);
    if (part.length < chunk.length) this.#chunks[0] = chunk.subarray(part.length);
    else this.#tellTaken(this.#chunks.shift()!);
    return part.length;
  }

  /** Waits for the next chunk, which is the caller's to keep; `null` at the end. */
  async takeChunk(): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#chunks.length === 0) {
      if (this.#atEnd()) return null;
      await this.#change.promise;
    }
    const chunk = this.#chunks.shift()!;
    this.#tellTaken(chunk);
    return chunk;
  }

  /** Copies all of `p` to the other end, or waits until it has taken enough: for a `write`. */
  put(p: Uint8Array): number | Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#ended || this.#peerClosed) throw new Deno.errors.BrokenPipe("Broken pipe");
    if (this.#givenBytes >= this.#windowBytes) return this.#change.promise;
    // In one chunk: what was written in one piece is not torn when this thread is ended.
    if (p.length > 0) this.give(new Uint8Array(p));
    return p.length;
  }

  /** Waits until the other end has taken enough to get more; `false` when it gets no more. */
  async hasRoom(): Promise<boolean> {
    while (!this.#ended && !this.#peerClosed) {
      if (this.#givenBytes < this.#windowBytes) return true;
      await this.#change.promise;
    }
    return false;
  }

  /** Moves a chunk with its whole buffer to the other end, now. */
  give(chunk: Uint8Array<ArrayBuffer>): void {
    this.#givenBytes += chunk.buffer.byteLength;
    this.#post({ type: "data", chunk }, [chunk.buffer]);
  }

  /** Says something that is no bytes. It must be cloneable. */
  note(note: unknown): void {
    this.#post({ type: "note", note });
  }

  /** Ends this direction: the other end reads `null` after what was given. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#post({ type: "end" });
    this.#change.notify();
  }

  /** Ends both directions, also for those who wait here; notes still pass. */
  abandon(): void {
    this.#abandon({ type: "close" });
  }

  /** Ends both directions with an error, which reading, after what was given, and writing at the other end throw. */
  fail(error: unknown): void {
    this.#abandon({ type: "close", error: packError(error) });
  }

  /** Closes the port: nothing passes any more. */
  [Symbol.dispose](): void {
    this.#port.close();
    this.#receive({ type: "close" });
  }

  #abandon(message: PortMessage): void {
    if (this.#abandoned) return;
    this.#abandoned = this.#ended = true;
    this.#chunks = [];
    this.#post(message);
    this.#change.notify();
  }

  #receive(message: PortMessage): void {
    if (message.type === "note") return this.#options.onNote?.(message.note);
    if (message.type === "data") this.#arrived(message.chunk);
    else if (message.type === "taken") this.#givenBytes -= message.bytes;
    else if (message.type === "end") this.#peerEnded = true;
    else this.#closeBy(message.error);
    this.#change.notify();
  }

  #arrived(chunk: Uint8Array<ArrayBuffer>): void {
    if (!this.#abandoned) this.#chunks.push(chunk);
  }

  #closeBy(error: CarriedError | undefined): void {
    if (this.#peerClosed) return;
    this.#peerEnded = this.#peerClosed = true;
    if (error) this.#failure = unpackError(error);
    this.#close();
  }

  #gone(): void {
    this.#receive({ type: "close" });
    this.#options.onGone?.();
  }

  #atEnd(): boolean {
    if (this.#failure) throw this.#failure;
    return this.#peerEnded || this.#abandoned;
  }

  #tellTaken(chunk: Uint8Array<ArrayBuffer>): void {
    this.#takenBytes += chunk.buffer.byteLength;
    if (this.#takenBytes < this.#windowBytes / 2) return;
    this.#post({ type: "taken", bytes: this.#takenBytes });
    this.#takenBytes = 0;
  }

  #post(message: PortMessage, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}
