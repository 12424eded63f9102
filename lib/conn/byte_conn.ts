/**
 * One connection: its bytes, its half-closes and its end.
 *
 * @module
 */
import { Latch } from "../base/latch.ts";
import { abortable, quiet, within } from "../base/within.ts";
import { type Framing, lengthFraming } from "../frame/framing.ts";
import type { StreamEnd } from "./chunk_reader.ts";
import { checkOptions, type FramedConnOptions, type Transport } from "./conn_options.ts";
import { closeQuietly, readableOf, writableOf } from "./conn_streams.ts";
import { setSocketOptions } from "./dial.ts";
import type { SendOptions } from "./message_conn.ts";
import { MessageReader } from "./message_reader.ts";
import { type QueueOwner, WriteQueue } from "./write_queue.ts";

/** What a `FramedConn` is below its messages. It owns the connection it wraps. */
export class ByteConn implements Deno.Conn, QueueOwner {
  /** @internal Receives what the peer sends. */
  protected readonly reader: MessageReader;
  /** @internal Sends what is queued. */
  protected readonly queue: WriteQueue;
  readonly #conn: Transport;
  readonly #lingerTimeoutMs: number;
  readonly #released = new Latch();
  #closed = false;
  #connClosed = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /**
   * Wraps a connection, and owns it from now on: nothing else may read, write or close it.
   *
   * @throws {RangeError} If a limit is less than 0, or not a number. The connection stays the caller's then.
   */
  constructor(
    conn: Transport,
    options: FramedConnOptions = {},
    { decoder, encoder }: Framing = lengthFraming(options),
  ) {
    checkOptions(options);
    this.#conn = conn;
    const { sendTimeoutMs = 0, lingerTimeoutMs = sendTimeoutMs > 0 ? 0 : 5000 } = options;
    this.#lingerTimeoutMs = lingerTimeoutMs;
    this.queue = new WriteQueue(conn, encoder, options, this);
    this.reader = new MessageReader(conn, decoder, options);
    setSocketOptions(conn, options.keepAlive);
  }

  /** This end's address. */
  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  /** The peer's address. */
  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  /** Whether the peer has finished sending, or is gone. What it sent before may still wait to be received. */
  get finished(): boolean {
    return this.reader.end !== undefined && this.reader.end.how !== "closed";
  }

  /** @internal Whether the connection is lost: a read has failed, or `sendTimeoutMs` has passed. */
  get lost(): boolean {
    return this.reader.end?.how === "lost";
  }

  /** @internal Reads ahead while nothing is received, so that the end of the stream is noticed: then calls `onEnd`. */
  readAhead(onEnd: (end: StreamEnd) => void): void {
    this.reader.readAhead(onEnd);
  }

  /** @internal Whether `error` is what a `receive` or a write of this very connection failed with. */
  failedWith(error: unknown): boolean {
    return this.reader.failedWith(error) || this.queue.failedWith(error);
  }

  /**
   * How many bytes of what was sent the operating system has not taken yet, headers included. A text that waits for the
   * end of the turn may count a byte a character.
   */
  get queuedBytes(): number {
    return this.queue.queuedBytes;
  }

  /** How many bytes the operating system has taken since the start, headers included. */
  get writtenBytes(): number {
    return this.queue.writtenBytes;
  }

  /** @internal Whether some of what was sent was dropped: the connection was lost or closed before it was written. */
  get dropped(): boolean {
    return this.queue.dropped;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Settles when everything sent so far is with the operating system; rejects if it cannot be. */
  flush(options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => this.queue.flush());
  }

  /** Ends receiving from this side: a pending and every later `receive` or `read` gives `null`. Sending works. */
  closeRead(): void {
    this.reader.stop();
  }

  /** Settles when `closeRead` or `close` was called, also while nothing is received. */
  get readClosed(): Promise<void> {
    return this.reader.stopped;
  }

  /**
   * Does `closeRead`, then reads on until the peer has finished and drops what it sent: to close while unread bytes wait
   * would reset the connection, and destroy what was sent last.
   */
  discard(options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => this.reader.discard());
  }

  /**
   * Tells the peer, after everything sent so far, that no more will come. Receiving still works.
   *
   * @throws {Deno.errors.BrokenPipe} If it was told already, or is gone.
   */
  closeWrite(options?: SendOptions): Promise<void> {
    return quiet(abortable(options?.signal, () => this.queue.closeWrite()));
  }

  /**
   * Closes the connection; a pending `receive` gives `null`. Closing again does nothing.
   *
   * What `send` had accepted still goes to the operating system, within `lingerTimeoutMs` and as long as the peer takes
   * some of it within each `sendTimeoutMs`. An error of the wrapped connection's own `close` is dropped.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.closeRead();
    this.queue.finish();
    if (this.queue.idle) return this.#release();
    this.queue.refuse(closedError());
    this.#linger();
  }

  /** Closes the connection at once: what is queued is lost, and pending calls end. */
  abort(): void {
    this.#closed = true;
    this.closeRead();
    this.#release();
  }

  /**
   * @internal Gives the connection to another owner, with what was read and not received. Nothing may be pending or
   * queued. From now on this object is closed.
   */
  handOver(): { conn: Transport; unread: Uint8Array<ArrayBuffer> } {
    const { frames } = this.reader;
    const unread = new Uint8Array(frames.bufferedBytes);
    frames.read(unread);
    this.#connClosed = true;
    this.abort();
    return { conn: this.#conn, unread };
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Settles when the connection was closed and its last bytes are on their way, or lost. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Reads bytes as they come, frames or not: first what a `receive` has already read. */
  read(p: Uint8Array): Promise<number | null> {
    return quiet(this.#read(p));
  }

  async #read(p: Uint8Array): Promise<number | null> {
    if (this.#closed) throw new Deno.errors.BadResource("Cannot read: the connection is closed");
    const bytes = await this.reader.read(p);
    if (bytes === null && this.#closed) {
      throw new Deno.errors.Interrupted("Cannot read on: the connection was closed");
    }
    return bytes;
  }

  /** Queues a copy of bytes, frames or not, in order with what is sent; gives their number when `send` would settle. */
  write(p: Uint8Array): Promise<number> {
    const { length } = p;
    return quiet(this.queue.write(p).then(() => length));
  }

  /** What `read` gives, as a stream. Its end leaves the connection open; cancelling it closes the connection. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** A stream over `write`. Closing it is `closeWrite`; aborting it closes the connection. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  /** Keeps the process alive while a read or write is pending, which is the default. */
  ref(): void {
    this.#conn.ref?.();
  }

  /** Lets the process end while a read or write is pending. */
  unref(): void {
    this.#conn.unref?.();
  }

  async #linger(): Promise<void> {
    try {
      await within(this.#lingerTimeoutMs || Infinity, this.queue.drain());
    } catch {
      // The peer is gone: what was queued for it is lost.
    }
    this.#release();
  }

  #release(): void {
    this.#released.open();
    this.queue.fail(closedError());
    this.reader[Symbol.dispose]();
    this.#closeConn();
  }

  /** @internal The peer takes nothing: only closing ends the write that is pending. */
  onSendTimeout(error: Error): void {
    this.reader.fail(error);
    this.#closeConn();
  }

  #closeConn(): void {
    if (this.#connClosed) return;
    this.#connClosed = true;
    closeQuietly(this.#conn);
  }
}

const closedError = () => new Deno.errors.BadResource("Cannot send: the connection is closed");
