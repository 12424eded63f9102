/**
 * A connection whose messages have a type.
 *
 * @module
 */
import type { MessageConn, ReceiveOptions, SendOptions } from "../conn/message_conn.ts";
import { checkObject } from "../base/checks.ts";
import { quiet } from "../base/within.ts";
import { type BytesCodec, type Codec, InvalidMessageError, type TextCodec } from "./codec.ts";

/** The part of a connection that a codec of texts needs: every `MessageConn` has it. */
export type TextConn = Pick<MessageConn, "receive" | "send" | "close">;

/** The part of a connection that a codec of bytes needs: a `FramedConn` has it. */
export interface BytesConn {
  /** Receives the next message, or `null` when there are no more. */
  receiveBytes(options?: ReceiveOptions): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Sends one message. */
  sendBytes(body: Uint8Array, options?: SendOptions): Promise<void>;
  /** Closes the connection. */
  close(): void;
}

/**
 * Sends values of type `Out` and receives values of type `In` over a connection, through a codec.
 *
 * Order, backpressure, limits and errors are those of the connection. It closes the connection that it was given, and so
 * does `using`; where a server owns the connection, neither is needed.
 *
 * @example See {@linkcode json}, or with bytes
 * ```ts
 * import { bytes, FramedConn, TypedConn } from "@framed/tcp";
 * import { memoryConnPair } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [near, far] = memoryConnPair();
 * using client = new TypedConn(new FramedConn(near), bytes);
 * using server = new TypedConn(new FramedConn(far), bytes);
 *
 * await client.send(new Uint8Array([0, 255]));
 * assertEquals(await server.receive(), new Uint8Array([0, 255]));
 * ```
 */
export class TypedConn<In, Out = In> implements Disposable {
  readonly #conn: TextConn & BytesConn;
  readonly #codec: Codec<In, Out>;

  /** Uses the connection for texts. */
  constructor(conn: TextConn, codec: TextCodec<In, Out>);
  /** Uses the connection for bytes. */
  constructor(conn: BytesConn, codec: BytesCodec<In, Out>);
  /** Uses the connection for either. */
  constructor(conn: TextConn & BytesConn, codec: Codec<In, Out>);
  constructor(conn: TextConn | BytesConn, codec: Codec<In, Out>) {
    checkObject("use a codec", "codec", codec, ["encode", "decode"]);
    const methods = codec.body === "bytes" ? ["receiveBytes", "sendBytes"] : ["receive", "send"];
    checkObject("use a codec", "conn", conn, methods);
    this.#conn = conn as TextConn & BytesConn;
    this.#codec = codec;
  }

  /**
   * Receives the next value, or `null` when the peer finished or the connection was closed. One may be pending.
   *
   * @throws {InvalidMessageError} If the codec refuses the message. The next one is still readable.
   * @throws {Error} What the connection's own `receive` throws.
   */
  receive(options: ReceiveOptions = {}): Promise<In | null> {
    return quiet(this.#receive(options));
  }

  async #receive(options: ReceiveOptions): Promise<In | null> {
    const codec = this.#codec;
    if (codec.body === "bytes") {
      const body = await this.#conn.receiveBytes(options);
      return body && this.#decoded(() => codec.decode(body));
    }
    const text = await this.#conn.receive(options);
    return text === null ? null : this.#decoded(() => codec.decode(text));
  }

  #decoded(decode: () => In): In {
    try {
      const value = decode();
      if (value !== null) return value;
    } catch (error) {
      throw new InvalidMessageError(this.#conn, error);
    }
    throw new InvalidMessageError(this.#conn, "it is null");
  }

  /**
   * Sends one value. Settles as the connection's own `send`, and rejects with what that or the codec throws.
   */
  send(value: Out, options?: SendOptions): Promise<void> {
    const codec = this.#codec;
    try {
      return codec.body === "bytes"
        ? this.#conn.sendBytes(codec.encode(value), options)
        : this.#conn.send(codec.encode(value), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Receives value after value until the peer has finished. Leaving the loop early leaves the connection open; after an
   * `InvalidMessageError`, which ends a loop, another loop begins with the next message.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<In, void, void> {
    for (let value; (value = await this.receive()) !== null;) yield value;
  }

  /** Closes the connection; what was sent before still leaves. Closing again does nothing. */
  close(): void {
    this.#conn.close();
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
