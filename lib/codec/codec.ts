/**
 * Codecs: how a value becomes the body of a message, and how a body becomes a value.
 *
 * @module
 */

import { messageOf } from "../base/thrown.ts";

/**
 * Encodes values of type `Out` as bodies, and decodes bodies as values of type `In`. Whatever `decode` throws refuses the
 * message, with the error's text as the reason; `null` is refused too, because it stands for the end of a connection.
 *
 * {@linkcode json} makes a codec, {@linkcode bytes} is one. Your own is an object of this shape:
 *
 * @example Numbers in decimal
 * ```ts
 * import { type Codec, FramedConn, TypedConn } from "@framed/tcp";
 * import { memoryConnPair } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const decimal: Codec<number> = {
 *   body: "text",
 *   encode: (value) => String(value),
 *   decode(text) {
 *     if (!/^-?\d{1,15}$/.test(text)) throw new TypeError("it is not a whole number");
 *     return Number(text);
 *   },
 * };
 *
 * const [near, far] = memoryConnPair();
 * using client = new TypedConn(new FramedConn(near), decimal);
 * using server = new TypedConn(new FramedConn(far), decimal);
 * await client.send(42);
 * assertEquals(await server.receive(), 42);
 * ```
 */
export type Codec<In, Out = In> = TextCodec<In, Out> | BytesCodec<In, Out>;

/** A codec whose bodies are texts. */
export interface TextCodec<In, Out = In> {
  /** What a body is given and returned as. */
  readonly body: "text";
  /** Makes a body. What it throws, `send` rejects with. */
  encode(value: Out): string;
  /** Reads a body, or throws what is wrong with it. */
  decode(text: string): In;
}

/** A codec whose bodies are bytes. */
export interface BytesCodec<In, Out = In> {
  /** What a body is given and returned as. */
  readonly body: "bytes";
  /** Makes a body. What it throws, `send` rejects with. */
  encode(value: Out): Uint8Array;
  /** Reads a body, which it may keep, or throws what is wrong with it. */
  decode(bytes: Uint8Array<ArrayBuffer>): In;
}

/** The codec of messages that are bytes, and stay as they are. */
export const bytes: BytesCodec<Uint8Array<ArrayBuffer>, Uint8Array> = {
  body: "bytes",
  encode: (value) => value,
  decode: (value) => value,
};

// The text of an error may quote the peer. This much of it shows what is wrong, and fits into a line of a log.
const MAX_REASON_UNITS = 200;

/** A message arrived whole, and its codec refused it. The next one is still readable. */
export class InvalidMessageError extends Deno.errors.InvalidData {
  /** The name that shows in reports. */
  override readonly name = "InvalidMessageError";
  /** What is wrong with the message, in at most 200 characters. */
  readonly reason: string;
  readonly #conn: object;

  /** Takes the connection that the message came on, and what the codec threw. */
  constructor(conn: object, thrown: unknown) {
    const reason = reasonOf(thrown);
    super(`Cannot decode a message: ${reason}`, { cause: thrown });
    this.reason = reason;
    this.#conn = conn;
  }

  /** Whether the message came on this connection. */
  cameOn(conn: object): boolean {
    return this.#conn === conn;
  }
}

/** What an error says, in at most 200 characters. */
export function reasonOf(thrown: unknown): string {
  const text = messageOf(thrown);
  if (text.length <= MAX_REASON_UNITS) return text;
  return text.slice(0, MAX_REASON_UNITS - 1).toWellFormed() + "…";
}
