/**
 * One connection that speaks in whole messages.
 *
 * @module
 */
import { dial, type DialOptions } from "./dial.ts";
import type { MessageConn, ReceiveOptions } from "./message_conn.ts";
import { MessageReader, type MessageReaderOptions } from "./message_reader.ts";
import { checkMaxBodyBytes } from "../frame/frame.ts";
import { checkLimits } from "../base/limits.ts";
import { readableOf, writableOf } from "./conn_streams.ts";
import { unlessAborted, within } from "../base/within.ts";
import { WriteQueue, type WriteQueueOptions } from "./write_queue.ts";

/** Options for {@linkcode FramedConn}. */
export interface FramedConnOptions extends MessageReaderOptions, WriteQueueOptions {}

/** Options for {@linkcode FramedConn.connect}. */
export interface FramedConnectOptions extends DialOptions, FramedConnOptions {}

// After close(), what was accepted by send() has so long to reach the operating system.
const LINGER_MS = 5000;

/**
 * Sends and receives text messages over one TCP connection.
 *
 * TCP is a stream of bytes: it keeps their order but not the boundaries between writes. `FramedConn` restores the
 * boundaries, so that one `send` here is one `receive` there.
 *
 * - **Ordered.** Concurrent sends leave in the order they were called and never interleave.
 * - **Batched.** What is sent in one turn of the event loop leaves in one write at the turn's end. `flush()` writes at
 *   once, and settles when the operating system has taken all of it.
 * - **Checked.** What `send` refuses, a text over the limit, say, rejects: await it, or handle that. Of a connection that
 *   is lost everybody is told by the next call, so there nothing needs to be handled.
 * - **Backpressured.** `send` settles at once while less than `highWaterMarkBytes` are queued, and else when they are
 *   written, so a caller that awaits it cannot outrun a slow peer. Sent is not received: only an answer tells that.
 * - **One reader.** Only one `receive` may be pending.
 * - **Owning.** It closes the connection it wraps, and so does `using`. Closing twice is harmless.
 *
 * @example An exchange of messages
 * ```ts
 * import { FramedConn, serve } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (conn) => {
 *   for await (const text of conn) await conn.send(text.toUpperCase());
 * }, { port: 0 });
 * using conn = await FramedConn.connect({ port: server.addr.port });
 *
 * assertEquals(await conn.request("hello"), "HELLO");
 * ```
 */
export class FramedConn implements Deno.Conn, MessageConn {
  readonly #conn: Deno.Conn;
  readonly #reader: MessageReader;
  readonly #queue: WriteQueue;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #isAsking = false;
  #closed = false;
  #isReleased = false;
  #released: PromiseWithResolvers<void> | undefined;

  /**
   * Wraps a connection, and owns it from now on: nobody else may read, write or close it.
   *
   * @throws {RangeError} If a limit is less than 0, or not a number. The connection stays the caller's then.
   */
  constructor(conn: Deno.Conn, options: FramedConnOptions = {}) {
    checkOptions(options);
    this.#conn = conn;
    this.#queue = new WriteQueue(conn, options);
    this.#reader = new MessageReader(conn, options);
    // Frames leave in batches already: waiting for more, as Nagle's algorithm does, would only delay them.
    if ("setNoDelay" in conn) setNoDelay(conn as Deno.TcpConn);
  }

  /**
   * Connects to a server.
   *
   * @throws {Deno.errors.ConnectionRefused} If nobody listens there.
   * @throws {DOMException} If the signal aborts before the connection stands.
   */
  static async connect(options: FramedConnectOptions): Promise<FramedConn> {
    // What is wrong with the limits is said before there is a connection to close.
    checkOptions(options);
    return new FramedConn(await dial(options), options);
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
    return this.#reader.finished;
  }

  /** Whether a read has found that the connection is lost: reset by the peer, say, and not closed on this side. */
  get lost(): boolean {
    return this.#reader.lost;
  }

  /**
   * The longest body that is sent or accepted, in bytes: small before a login, say, and larger after it. A new limit
   * holds from the next message on; one that is arriving was accepted already.
   */
  get maxBodyBytes(): number {
    return this.#reader.maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#reader.maxBodyBytes = this.#queue.maxBodyBytes = maxBodyBytes;
  }

  /**
   * How many bytes of what was sent the operating system has not taken yet, headers included. A text that waits for the
   * end of the turn may count a byte a character.
   */
  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  /** How many bytes the operating system has taken since the start, headers included. */
  get writtenBytes(): number {
    return this.#queue.writtenBytes;
  }

  /** Whether `error` is what a `receive` or a write of this very connection failed with, not anybody else's error. */
  failedWith(error: unknown): boolean {
    return this.#reader.failedWith(error) || this.#queue.failedWith(error);
  }

  /**
   * Takes over an error that came from elsewhere and tells what is wrong with this very connection: somebody else, such
   * as a thread, was given its bytes.
   */
  blame(error: unknown): void {
    this.#reader.blame(error);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Settles when the connection was closed and its last bytes are on their way, or lost; made only when somebody waits. */
  get released(): Promise<void> {
    this.#released ??= Promise.withResolvers();
    if (this.#isReleased) this.#released.resolve();
    return this.#released.promise;
  }

  /**
   * Sends one text. See the class about order, batches and when it settles.
   *
   * @throws {TypeError} If the text has a lone surrogate. Nothing is sent, and the connection lives on.
   * @throws {FrameTooLargeError} If the body is over the limit. Nothing is sent, and the connection lives on.
   * @throws {Deno.errors.BrokenPipe} If the peer is gone (or `ConnectionReset`, as the operating system tells it).
   * @throws {Deno.errors.BadResource} If this connection is closed.
   */
  send(text: string): Promise<void> {
    return this.#queue.send(text);
  }

  /** Sends one message given as bytes, which are copied: like `send` in everything else. */
  sendBytes(body: Uint8Array): Promise<void> {
    return this.#queue.sendBytes(body);
  }

  /**
   * Sends one message that is a frame already, as `encodeFrame` makes it, and does not look into it: like `send` in
   * everything else.
   *
   * For a broadcast: encode once, and send the same bytes to everybody. They are not copied, so they must not change any
   * more, and they leave at the end of the turn. An `Outbox` keeps a slow peer from delaying it.
   */
  sendFrame(frame: Uint8Array): Promise<void> {
    return this.#queue.sendFrame(frame);
  }

  /**
   * Receives the next text, or `null` when the peer finished between frames or this connection was closed.
   *
   * Whatever ends the stream comes once, be it a torn frame, one over the limit or a lost connection; then it is `null`.
   *
   * @throws {Deno.errors.UnexpectedEof} If the stream ended inside a frame.
   * @throws {FrameTooLargeError} If a header announced more than the limit: the stream is out of step.
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next message is still readable.
   * @throws {Deno.errors.TimedOut} If `idleTimeoutMs` passed without a byte. Sending still works.
   * @throws {TypeError} If another `receive` is pending.
   */
  receive(options: ReceiveOptions = {}): Promise<string | null> {
    return this.#reader.receive(options.signal);
  }

  /** Receives the next message as bytes, which are the caller's to keep: like `receive` in everything else. */
  receiveBytes(options: ReceiveOptions = {}): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#reader.receiveBytes(options.signal);
  }

  /**
   * Sends one text and receives the next: a question and its answer.
   *
   * A question that was given up may still be answered: the next `receive` gets that answer, so it is taken first, or the
   * connection closed.
   *
   * @throws {TypeError} If a `receive` or another `request` is pending: nothing was sent then. Or if a `receive` begins
   * while the question waits to be sent: that one gets the answer.
   */
  async request(text: string, options: ReceiveOptions = {}): Promise<string | null> {
    // Else the answer to a question that nobody waits for would be taken for the next one's.
    options.signal?.throwIfAborted();
    if (this.#isAsking || this.#reader.receiving) {
      throw new TypeError("Cannot request: another receive is pending");
    }
    this.#isAsking = true;
    try {
      await unlessAborted(this.send(text), options.signal);
      return await this.receive(options);
    } finally {
      this.#isAsking = false;
    }
  }

  /** Receives text after text until the peer has finished. Leaving the loop early leaves the connection open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, void, void> {
    return this.#reader;
  }

  /** Settles when everything sent so far is with the operating system; rejects if it cannot be. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }

  /** Ends the conversation from this side: a pending and every later `receive` or `read` gives `null`. Sending works. */
  closeRead(): void {
    this.#reader.stop();
  }

  /** Settles when `closeRead` or `close` was called, also while nobody receives. */
  get readClosed(): Promise<void> {
    return this.#reader.stopped;
  }

  /**
   * Reads on until the peer has finished, also after `closeRead`, and drops all of it: to close while unread bytes wait
   * would reset the connection, and destroy what was sent last.
   */
  discard(): Promise<void> {
    return this.#reader.discard();
  }

  /**
   * Tells the peer, after everything sent so far, that no more will come. Receiving still works.
   *
   * @throws {Deno.errors.BrokenPipe} If it was told already, or is gone.
   */
  async closeWrite(): Promise<void> {
    const flushed = this.#queue.flush();
    this.#queue.refuse(new Deno.errors.BrokenPipe("Cannot send: this side has finished"));
    await flushed;
    await this.#conn.closeWrite();
  }

  /**
   * Closes the connection; a pending `receive` gives `null`. Closing again does nothing.
   *
   * What `send` had accepted still goes to the operating system, which may take up to 5 s if the peer reads slowly.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.closeRead();
    if (this.#queue.idle) return this.#release();
    this.#queue.refuse(closedError());
    this.#linger();
  }

  /** Closes the connection at once: what is queued is lost, and pending calls end. */
  abort(): void {
    this.#closed = true;
    this.closeRead();
    this.#release();
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads bytes as they come, frames or not: first what a `receive` has already read. */
  async read(p: Uint8Array): Promise<number | null> {
    if (this.#closed) throw new Deno.errors.BadResource("Cannot read: the connection is closed");
    const bytes = await this.#reader.read(p);
    // Only `receive` takes a close for an end: to every `Deno.Conn` it is an error.
    if (bytes === null && this.#closed) {
      throw new Deno.errors.Interrupted("Cannot read on: the connection was closed");
    }
    return bytes;
  }

  /** Queues a copy of bytes in order with what is sent, and tells that all of them were taken. */
  async write(p: Uint8Array): Promise<number> {
    await this.#queue.write(p);
    return p.length;
  }

  /**
   * The bytes that arrive, as a stream. Unlike a `Deno.TcpConn`'s, its end leaves the connection open for sending; to
   * cancel it, as leaving a loop over it does, closes the connection.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** A stream of bytes to the peer; closing it is `closeWrite`. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  /** Lets this connection keep the process alive, as it does from the start. */
  ref(): void {
    this.#conn.ref();
  }

  /** Lets the process end while this connection is open. */
  unref(): void {
    this.#conn.unref();
  }

  async #linger(): Promise<void> {
    try {
      await within(LINGER_MS, this.#queue.drain());
    } catch {
      // The peer is gone: nobody is left to tell.
    }
    this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#released?.resolve();
    this.#queue.fail(closedError());
    this.#reader[Symbol.dispose]();
    this.#conn.close();
  }
}

function checkOptions(options: FramedConnOptions): void {
  const { maxBodyBytes, idleTimeoutMs, highWaterMarkBytes } = options;
  checkMaxBodyBytes(maxBodyBytes);
  checkLimits("frame a connection", { idleTimeoutMs, highWaterMarkBytes });
}

function setNoDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // macOS refuses this once the peer is gone, which the first read or write will tell.
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("Cannot send: the connection is closed");
}
