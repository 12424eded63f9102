/**
 * One connection: its bytes, its half-closes and its end.
 *
 * @module
 */
import { abortable, quiet } from "../base/within.ts";
import { checkBytes } from "../frame/frame.ts";
import type { Framing } from "../frame/framing.ts";
import type { FramedConnOptions, Transport } from "./conn_options.ts";
import { readableOf, writableOf } from "./conn_streams.ts";
import { setSocketOptions } from "./dial.ts";
import { ConnInternals } from "./internals.ts";
import type { SendOptions } from "./message_conn.ts";

/** Gives what only the modules of this library use of a connection. `mod.ts` does not export it. */
export let internalsOf: (conn: ByteConn) => ConnInternals;

/** What a `FramedConn` is below its messages. It owns the connection it wraps. */
export class ByteConn implements Deno.Conn {
  readonly #internals: ConnInternals;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  static {
    // Only code inside of the class can read a private field.
    internalsOf = (conn) => conn.#internals;
  }

  /** Wraps a connection, and owns it from now on: nothing else may read, write or close it. The options are checked. */
  constructor(conn: Transport, options: FramedConnOptions, framing: Framing) {
    this.#internals = new ConnInternals(conn, options, framing);
    setSocketOptions(conn, options.keepAlive);
  }

  /** This end's address. */
  get localAddr(): Deno.Addr {
    return this.#internals.transport.localAddr;
  }

  /** The peer's address. */
  get remoteAddr(): Deno.Addr {
    return this.#internals.transport.remoteAddr;
  }

  /**
   * How many bytes of what was sent the operating system has not taken yet, headers included. A text that waits for the
   * end of the turn may count a byte a character.
   */
  get queuedBytes(): number {
    return this.#internals.queue.queuedBytes;
  }

  /** How many bytes the operating system has taken since the start, headers included. */
  get writtenBytes(): number {
    return this.#internals.queue.writtenBytes;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#internals.closed;
  }

  /** Settles when everything sent so far is with the operating system; rejects if it cannot be. */
  flush(options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => this.#internals.queue.flush());
  }

  /** Ends receiving from this side: a pending and every later `receive` or `read` gives `null`. Sending works. */
  closeRead(): void {
    this.#internals.reader.stop();
  }

  /** Settles when `closeRead` or `close` was called, also while nothing is received. */
  get readClosed(): Promise<void> {
    return this.#internals.reader.stopped;
  }

  /**
   * Does `closeRead`, then reads on until the peer has finished and drops what it sent: to close while unread bytes wait
   * would reset the connection, and destroy what was sent last.
   */
  discard(options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => this.#internals.reader.discard());
  }

  /**
   * Tells the peer, after everything sent so far, that no more will come. Receiving still works.
   *
   * @throws {Deno.errors.BrokenPipe} If it was told already, or is gone.
   */
  closeWrite(options?: SendOptions): Promise<void> {
    return quiet(abortable(options?.signal, () => this.#internals.queue.closeWrite()));
  }

  /**
   * Closes the connection; a pending `receive` gives `null`. Closing again does nothing.
   *
   * What `send` had accepted still goes to the operating system, within `lingerTimeoutMs` and as long as the peer takes
   * some of it within each `sendTimeoutMs`. An error of the wrapped connection's own `close` is dropped.
   */
  close(): void {
    this.#internals.close();
  }

  /** Closes the connection at once: what is queued is lost, and pending calls end. */
  abort(): void {
    this.#internals.abort();
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads bytes as they come, frames or not: first what a `receive` has already read. */
  read(p: Uint8Array): Promise<number | null> {
    return quiet(this.#read(p));
  }

  async #read(p: Uint8Array): Promise<number | null> {
    if (this.#internals.closed) {
      throw new Deno.errors.BadResource("Cannot read: the connection is closed");
    }
    checkBytes(p);
    const bytes = await this.#internals.reader.read(p);
    if (bytes === null && this.#internals.closed) {
      throw new Deno.errors.Interrupted("Cannot read on: the connection was closed");
    }
    return bytes;
  }

  /** Queues a copy of bytes, frames or not, in order with what is sent; gives their number when `send` would settle. */
  write(p: Uint8Array): Promise<number> {
    const length = p?.length;
    return quiet(this.#internals.queue.write(p).then(() => length));
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
    this.#internals.transport.ref?.();
  }

  /** Lets the process end while a read or write is pending. */
  unref(): void {
    this.#internals.transport.unref?.();
  }
}
