/**
 * One connection that carries whole messages.
 *
 * @module
 */
import { lengthFraming } from "../frame/framing.ts";
import { checkObject } from "../base/checks.ts";
import { abortable, quiet, refusedBy, unlessAborted } from "../base/within.ts";
import { ByteConn, internalsOf } from "./byte_conn.ts";
import { checkedOptions, type FramedConnOptions, type Transport } from "./conn_options.ts";
import { checkDialOptions, dial, type DialOptions } from "./dial.ts";
import type { MessageConn, ReceiveOptions, SendOptions } from "./message_conn.ts";

/** Options for {@linkcode FramedConn.connect}. */
export interface FramedConnectOptions extends DialOptions, FramedConnOptions {}

/**
 * Sends and receives text messages over one TCP connection.
 *
 * TCP is a stream of bytes: it keeps their order but not the boundaries between writes. `FramedConn` restores the
 * boundaries, so that one `send` here is one `receive` there.
 *
 * - **Ordered.** Concurrent sends leave in the order they were called and never interleave.
 * - **Batched.** What is sent in one turn of the event loop leaves in one write at the turn's end. `flush()` writes at
 *   once, and settles when the operating system has taken all of it.
 * - **Checked.** `send` rejects a text over the limit, for example: await it, or handle that. The loss of the connection
 *   needs no handling there: every later call reports it, so it is never an unhandled rejection.
 * - **Backpressured.** `send` settles at once while less than `highWaterMarkBytes` are queued, and else when they are
 *   written, so a caller that awaits it cannot outrun a slow peer. Sent is not received: only an answer proves that.
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
export class FramedConn extends ByteConn implements MessageConn {
  #isRequesting = false;
  /** The number, among the messages received, of the answer to the last request. */
  #lastAnswer = 0;

  /**
   * Wraps a connection, and owns it from now on: nothing else may read, write or close it.
   *
   * @throws {RangeError} If a limit is less than 0, or not a number. The connection stays the caller's then.
   * @throws {TypeError} If it is not a connection, or an option has a wrong type.
   */
  constructor(conn: Transport, options: FramedConnOptions = {}) {
    checkObject("frame a connection", "conn", conn, ["read", "write", "close"]);
    const checked = checkedOptions(options);
    super(conn, checked, lengthFraming(checked));
  }

  /**
   * Connects to a server.
   *
   * @throws {Deno.errors.ConnectionRefused} If no server listens there.
   * @throws {DOMException} If the signal aborts before the connection stands.
   */
  static async connect(options: FramedConnectOptions): Promise<FramedConn> {
    // What is wrong with the limits is reported before there is a connection to close.
    const checked = checkedOptions(options, "connect");
    checkDialOptions(checked);
    return new FramedConn(await dial(checked), checked);
  }

  /**
   * The longest body that is sent or accepted, in bytes: small before a login, say, and larger after it. A new limit
   * applies from the next message on, not to one that is arriving.
   */
  get maxBodyBytes(): number {
    return internalsOf(this).reader.frames.maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    const { reader, queue } = internalsOf(this);
    reader.frames.maxBodyBytes = queue.maxBodyBytes = maxBodyBytes;
  }

  /**
   * Sends one text. See the class about order, batches and when it settles.
   *
   * @throws {TypeError} If the text has a lone surrogate. Nothing is sent, and the connection lives on.
   * @throws {FrameTooLargeError} If the body is over the limit. Nothing is sent, and the connection lives on.
   * @throws {Deno.errors.BrokenPipe} If the peer is gone (or `ConnectionReset`, as the operating system reports it).
   * @throws {Deno.errors.TimedOut} If the peer took nothing for `sendTimeoutMs`. The connection is lost.
   * @throws {Deno.errors.BadResource} If this connection is closed.
   */
  send(text: string, options?: SendOptions): Promise<void> {
    if (!options) return internalsOf(this).queue.send(text);
    return abortable(options.signal, () => internalsOf(this).queue.send(text));
  }

  /** Sends one message given as bytes, which are copied: like `send` in everything else. */
  sendBytes(body: Uint8Array, options?: SendOptions): Promise<void> {
    return abortable(options?.signal, () => internalsOf(this).queue.sendBytes(body));
  }

  /**
   * Sends one message that is a frame already, as `encodeFrame` makes it: like `send` in everything else.
   *
   * For a broadcast: encode once, and send the same bytes to all. They are not copied, so they must not change any more.
   * An `Outbox` keeps a slow peer from delaying it.
   *
   * @throws {TypeError} At once, if it is not one whole frame: few callers wait for this promise.
   */
  sendFrame(frame: Uint8Array, options?: SendOptions): Promise<void> {
    if (!options) return internalsOf(this).queue.sendFrame(frame);
    return abortable(options.signal, () => internalsOf(this).queue.sendFrame(frame));
  }

  /**
   * Receives the next text, or `null` when the peer finished between frames or this connection was closed.
   *
   * What ends the stream is reported once: a truncated frame, one over the limit, a lost connection. Then it is `null`.
   *
   * @throws {Deno.errors.UnexpectedEof} If the stream ended inside a frame.
   * @throws {FrameTooLargeError} If a header announced more than the limit: no later message can be read.
   * @throws {Deno.errors.InvalidData} If the body is not UTF-8. The next message is still readable.
   * @throws {Deno.errors.TimedOut} If `idleTimeoutMs` passed without a byte. Sending still works.
   * @throws {TypeError} If another `receive` is pending.
   */
  receive(options: ReceiveOptions = {}): Promise<string | null> {
    return internalsOf(this).reader.receive(options.signal);
  }

  /** Receives the next message as bytes, which are the caller's: like `receive` in everything else. */
  receiveBytes(options: ReceiveOptions = {}): Promise<Uint8Array<ArrayBuffer> | null> {
    return internalsOf(this).reader.receiveBytes(options.signal);
  }

  /**
   * Sends one text and receives its answer, for a peer that answers each message with one.
   *
   * The answer to a request that was given up is dropped when it comes, or given to a `receive` that is called before the
   * next request.
   *
   * @throws {TypeError} If a `receive` or another `request` is pending: nothing was sent then. Or if a `receive` begins
   * while the text waits to be sent: that one gets the answer.
   */
  request(text: string, options: ReceiveOptions = {}): Promise<string | null> {
    const refused = refusedBy(options.signal);
    if (refused) return refused;
    if (this.#isRequesting || internalsOf(this).reader.receiving) {
      return Promise.reject(new TypeError("Cannot request: another receive is pending"));
    }
    return quiet(this.#request(text, options));
  }

  async #request(text: string, options: ReceiveOptions): Promise<string | null> {
    const before = this.#lastAnswer;
    const answer = Math.max(before, internalsOf(this).reader.givenMessages) + 1;
    this.#lastAnswer = answer;
    this.#isRequesting = true;
    try {
      const sent = this.send(text);
      // A text that is refused has no answer.
      sent.catch(() => this.#lastAnswer = before);
      await unlessAborted(sent, options.signal);
      while (internalsOf(this).reader.givenMessages < answer - 1) {
        if (await this.receiveBytes(options) === null) return null;
      }
      return await this.receive(options);
    } finally {
      this.#isRequesting = false;
    }
  }

  /** Receives text after text until the peer has finished. Leaving the loop early leaves the connection open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, void, void> {
    return internalsOf(this).reader;
  }
}
