/**
 * What the modules of this library ask of a connection, and products do not: `internalsOf(conn)` gives it.
 *
 * @module
 */
import { Latch } from "../base/latch.ts";
import { within } from "../base/within.ts";
import type { Framing } from "../frame/framing.ts";
import type { StreamEnd } from "./chunk_reader.ts";
import type { FramedConnOptions, Transport } from "./conn_options.ts";
import { closeQuietly } from "./conn_streams.ts";
import type { ReceiveOptions } from "./message_conn.ts";
import { MessageReader } from "./message_reader.ts";
import { type Failure, type QueueOwner, WriteQueue } from "./write_queue.ts";

/** The two halves of a connection, and its end. It owns what carries the bytes. */
export class ConnInternals implements QueueOwner {
  /** Receives what the peer sends. */
  readonly reader: MessageReader;
  /** Sends what is queued. */
  readonly queue: WriteQueue;
  /** What carries the bytes. */
  readonly transport: Transport;
  readonly #lingerTimeoutMs: number;
  readonly #released = new Latch();
  #closed = false;
  #transportClosed = false;

  /** Takes over what carries the bytes. The options are checked. */
  constructor(transport: Transport, options: FramedConnOptions, { decoder, encoder }: Framing) {
    const { sendTimeoutMs = 0, lingerTimeoutMs = sendTimeoutMs > 0 ? 0 : 5000 } = options;
    this.transport = transport;
    this.#lingerTimeoutMs = lingerTimeoutMs;
    this.queue = new WriteQueue(transport, encoder, options, this);
    this.reader = new MessageReader(transport, decoder, options);
  }

  /** Whether this side has closed the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the peer has finished sending, or is gone. What it sent before may still wait to be received. */
  get finished(): boolean {
    return this.reader.end !== undefined && this.reader.end.how !== "closed";
  }

  /** Whether the connection is lost: a read has failed, or `sendTimeoutMs` has passed. */
  get lost(): boolean {
    return this.reader.end?.how === "lost";
  }

  /** Whether some of what was sent was dropped: the connection was lost or closed before it was written. */
  get dropped(): boolean {
    return this.queue.dropped;
  }

  /** Settles when the connection was closed and its last bytes are on their way, or lost. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Whether `error` is what a `receive` or a write of this very connection failed with. */
  failedWith(error: unknown): boolean {
    return this.reader.failedWith(error) || this.queue.failedWith(error);
  }

  /** Reads ahead while nothing is received, so that the end of the stream is noticed: then calls `onEnd`. */
  readAhead(onEnd: (end: StreamEnd) => void): void {
    this.reader.readAhead(onEnd);
  }

  /**
   * Waits until the peer has sent so many bytes, or has finished, and gives a copy of the first of them. They stay to be
   * received.
   */
  async peek(bytes: number, { signal }: ReceiveOptions = {}): Promise<Uint8Array> {
    const { frames } = this.reader;
    await this.reader.peek(bytes, signal);
    return frames.bytes.slice(frames.usedTo, Math.min(frames.usedTo + bytes, frames.filledTo));
  }

  /**
   * Gives the connection to another owner, with what was read and not received. Nothing may be pending or queued. From
   * now on this side is closed.
   */
  handOver(): { transport: Transport; unread: Uint8Array<ArrayBuffer> } {
    const { frames } = this.reader;
    const unread = new Uint8Array(frames.bufferedBytes);
    frames.read(unread);
    this.#transportClosed = true;
    this.abort();
    return { transport: this.transport, unread };
  }

  /** See `close` of a `FramedConn`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.reader.stop();
    this.queue.finish();
    if (this.queue.idle) return this.#release();
    this.queue.refuse(new Closed());
    this.#linger();
  }

  /** See `abort` of a `FramedConn`. */
  abort(): void {
    this.#closed = true;
    this.reader.stop();
    this.#release();
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
    this.queue.fail(new Closed());
    this.reader[Symbol.dispose]();
    this.#closeTransport();
  }

  /** For the queue. The peer takes nothing: only closing ends the write that is pending. */
  onSendTimeout(error: Error): void {
    this.reader.fail(error);
    this.#closeTransport();
  }

  #closeTransport(): void {
    if (this.#transportClosed) return;
    this.#transportClosed = true;
    closeQuietly(this.transport);
  }
}

/** The failure of a closed connection, whose error is made when something asks for it: most connections are only closed. */
class Closed implements Failure {
  #error: Error | undefined;

  get error(): Error {
    return this.#error ??= new Deno.errors.BadResource("Cannot send: the connection is closed");
  }
}
