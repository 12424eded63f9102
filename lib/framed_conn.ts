/**
 * One connection that speaks in whole messages.
 *
 * @module
 */
import { MessageReader, type MessageReaderOptions } from "./message_reader.ts";
import { readableOf, writableOf } from "./conn_streams.ts";
import { WriteQueue, type WriteQueueOptions } from "./write_queue.ts";

/** Options for {@linkcode FramedConn}. */
export interface FramedConnOptions extends MessageReaderOptions, WriteQueueOptions {
  /** Told of each message handed out by a `receive`, with the length of its body in bytes. */
  onReceived?: (bodyBytes: number) => void;
  /** Told of each message accepted by a `send`, with the length of its body in bytes. */
  onSent?: (bodyBytes: number) => void;
}

/** Options for {@linkcode FramedConn.receive} and its kin. */
export interface ReceiveOptions {
  /** Gives up waiting. Nothing is lost: the next `receive` gets the message. */
  signal?: AbortSignal;
}

/** Options for {@linkcode FramedConn.connect}. */
export interface FramedConnectOptions extends FramedConnOptions {
  /**
   * The server's name or address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /** The server's port. */
  port: number;
  /** Gives up connecting. It does nothing once the connection stands. */
  signal?: AbortSignal;
  /** Speaks TLS when given; `{}` trusts the certificates that the system trusts. */
  tls?: Pick<Deno.ConnectTlsOptions, "caCerts">;
}

// After close(), what was accepted by send() has so long to reach the operating system.
const LINGER_MS = 5000;

/**
 * Sends and receives text messages over one TCP connection.
 *
 * TCP is a stream of bytes: it keeps their order but not the boundaries between writes. `FramedConn` restores the
 * boundaries, so that one `send` here is one `receive` there.
 *
 * - **Ordered.** Concurrent sends leave in the order they were called and never interleave.
 * - **Batched.** What is sent in one turn of the event loop leaves in one write, at the turn's end or when a `receive`
 *   has to wait, whichever comes first. `flush()` settles when the operating system has taken all of it.
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
export class FramedConn implements Deno.Conn {
  readonly #conn: Deno.Conn;
  readonly #reader: MessageReader;
  readonly #queue: WriteQueue;
  readonly #onReceived: FramedConnOptions["onReceived"];
  readonly #onSent: FramedConnOptions["onSent"];
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #closed = false;
  #released = false;

  /** Wraps a connection, and owns it from now on: nobody else may read, write or close it. */
  constructor(conn: Deno.Conn, options: FramedConnOptions = {}) {
    this.#conn = conn;
    this.#queue = new WriteQueue(conn, options);
    this.#reader = new MessageReader(conn, () => this.#queue.startWriting(), options);
    this.#onReceived = options.onReceived;
    this.#onSent = options.onSent;
    // Frames leave in batches already: waiting for more, as Nagle's algorithm does, would only delay them.
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  }

  /**
   * Connects to a server.
   *
   * @throws {Deno.errors.ConnectionRefused} If nobody listens there.
   * @throws {DOMException} If the signal aborts before the connection stands.
   */
  static async connect(options: FramedConnectOptions): Promise<FramedConn> {
    const { hostname = "127.0.0.1", port, signal, tls } = options;
    signal?.throwIfAborted();
    const conn = await Deno.connect({ hostname, port, ...(signal && { signal }) });
    if (!tls) return new FramedConn(conn, options);
    const secure = await Deno.startTls(conn, { hostname, ...tls });
    await secure.handshake();
    return new FramedConn(secure, options);
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

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
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
    try {
      this.#queue.check();
      const bodyBytes = this.#queue.frames.push(text);
      this.#onSent?.(bodyBytes);
      return this.#queue.pushed();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends one message given as bytes, which are copied: like `send` in everything else. */
  sendBytes(body: Uint8Array): Promise<void> {
    try {
      this.#queue.check();
      const bodyBytes = this.#queue.frames.pushBytes(body);
      this.#onSent?.(bodyBytes);
      return this.#queue.pushed();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Receives the next text, or `null` when the peer finished between frames or this connection was closed.
   *
   * An error of the first two kinds comes once; then `receive` gives `null`.
   *
   * @throws {Deno.errors.UnexpectedEof} If the stream ended inside a frame.
   * @throws {FrameTooLargeError} If a header announced more than the limit: the stream is out of step.
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next message is still readable.
   * @throws {Deno.errors.TimedOut} If `idleTimeoutMs` passed without a byte. Sending still works.
   * @throws {TypeError} If another `receive` is pending.
   */
  receive(options: ReceiveOptions = {}): Promise<string | null> {
    return this.#reader.receive(this.#nextText, options.signal);
  }

  /** Receives the next message as bytes, which are the caller's to keep: like `receive` in everything else. */
  receiveBytes(options: ReceiveOptions = {}): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#reader.receive(this.#nextBytes, options.signal);
  }

  /** Sends one text and receives the next: a question and its answer. */
  async request(text: string, options: ReceiveOptions = {}): Promise<string | null> {
    await this.send(text);
    return await this.receive(options);
  }

  /** Receives text after text until the peer has finished. Leaving the loop early leaves the connection open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, void, void> {
    const iterator: AsyncIterableIterator<string, void, void> = {
      next: () => this.#next(),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Settles when everything sent so far is with the operating system; rejects if it cannot be. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }

  /** Ends the conversation from this side: a pending and every later `receive` gives `null`. Sending still works. */
  closeRead(): void {
    this.#reader[Symbol.dispose]();
  }

  /** Tells the peer, after everything sent so far, that no more will come. Receiving still works. */
  async closeWrite(): Promise<void> {
    await this.#queue.flush();
    this.#queue.fail(new Deno.errors.BrokenPipe("Cannot send: this side has finished sending"));
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
    const timer = setTimeout(() => this.#release(), LINGER_MS);
    this.#queue.flush().catch(() => {/* The peer is gone: nothing is left to tell it. */})
      .finally(() => {
        clearTimeout(timer);
        this.#release();
      });
    this.#queue.refuse(closedError());
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
  read(p: Uint8Array): Promise<number | null> {
    return this.#reader.read(p);
  }

  /** Queues a copy of bytes in order with what is sent, and tells that all of them were taken. */
  async write(p: Uint8Array): Promise<number> {
    this.#queue.check();
    this.#queue.frames.pushRaw(p);
    await this.#queue.pushed();
    return p.length;
  }

  /** The bytes that arrive, as a stream. Unlike a `Deno.TcpConn`'s, its end leaves the connection open for sending. */
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

  #nextText = (): string | undefined => {
    const text = this.#reader.frames.next();
    if (text !== undefined) this.#onReceived?.(this.#reader.frames.bodyBytes);
    return text;
  };

  #nextBytes = (): Uint8Array<ArrayBuffer> | undefined => {
    const body = this.#reader.frames.nextBytes();
    if (body !== undefined) this.#onReceived?.(body.length);
    return body;
  };

  async #next(): Promise<IteratorResult<string, void>> {
    const value = await this.receive();
    return value === null ? { value: undefined, done: true } : { value, done: false };
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#queue.fail(closedError());
    this.#conn.close();
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("Cannot send: the connection is closed");
}
