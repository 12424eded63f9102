/**
 * How the JSON servers receive and answer.
 *
 * @module
 */
import { encodeFrame } from "../../lib/frame/frame.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { ReceiveOptions } from "../../lib/conn/message_conn.ts";
import { goodbyeOf, type GoodbyeReason } from "../../lib/server/end_reason.ts";
import {
  type ByeReason,
  type ClientMessage,
  type ErrorCode,
  parseClientMessage,
  type ParsedMessage,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import type { TokenBucket } from "../../lib/base/token_bucket.ts";

/**
 * Receives the next message that can be understood, and refuses those that cannot; `null` when the peer is done.
 *
 * Each costs a token of `pace`. While there is none, nothing is read: what comes too fast waits in the peer's own
 * buffers, and costs nobody else.
 */
export async function receiveMessage(
  conn: FramedConn,
  pace: TokenBucket,
  options: ReceiveOptions = {},
): Promise<ClientMessage | null> {
  for (;;) {
    await pace.wait();
    const parsed = await receiveParsed(conn, options);
    if (parsed === null) return null;
    if ("message" in parsed) return parsed.message;
    await replyError(conn, "bad_message", parsed.problem, { ref: parsed.ref });
  }
}

async function receiveParsed(
  conn: FramedConn,
  options: ReceiveOptions,
): Promise<ParsedMessage | null> {
  try {
    const text = await conn.receive(options);
    return text === null ? null : parseClientMessage(text);
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    return { problem: `${error.message}. Send text in UTF-8` };
  }
}

/** Makes one message to clients a whole frame. */
export function frameOf(message: ServerMessage): Uint8Array {
  return encodeFrame(JSON.stringify(message));
}

/** Sends one message. What clients may send is limited; a list of all users may be longer. */
export function reply(conn: FramedConn, message: ServerMessage): Promise<void> {
  return conn.sendFrame(frameOf(message));
}

/** What goes with an error. */
export interface ErrorDetails {
  /** The message it answers. */
  ref?: string | undefined;
  /** When to try again, in milliseconds from now. */
  retryAfterMs?: number | undefined;
}

/** Refuses a message; the connection lives on. */
export function replyError(
  conn: FramedConn,
  code: ErrorCode,
  message: string,
  details: ErrorDetails = {},
): Promise<void> {
  return reply(conn, errorMessage(code, message, details));
}

/** Makes the refusal of a message. */
export function errorMessage(
  code: ErrorCode,
  message: string,
  { ref, retryAfterMs }: ErrorDetails = {},
): ServerMessage {
  return {
    type: "error",
    code,
    message,
    ...(ref !== undefined && { ref }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** What a client is told when storage is broken. */
export const UNAVAILABLE = {
  code: "unavailable",
  message: "The server cannot read or write its data: try again later",
  retryAfterMs: 1000,
} as const;

/** Makes the refusal of what broken storage kept from being done. */
export function unavailableMessage(ref?: string): ServerMessage {
  const { code, message, retryAfterMs } = UNAVAILABLE;
  return errorMessage(code, message, { ref, retryAfterMs });
}

/** Options for {@linkcode attempt}. */
export interface AttemptOptions {
  /** The message that asked for it. */
  ref?: string | undefined;
  /** Told what went wrong. */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Gives what `work` gives. It fails where storage is broken: then the client is told `unavailable`, and this gives
 * `undefined`.
 */
export async function attempt<T>(
  conn: FramedConn,
  work: () => T | Promise<T>,
  { ref, onError }: AttemptOptions,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    onError?.(error);
    await reply(conn, unavailableMessage(ref));
    return undefined;
  }
}

/** The goodbye of the JSON servers. */
export function goodbyeMessage(reason: GoodbyeReason): string {
  return JSON.stringify({
    type: "bye",
    reason: byeReasonOf(reason),
    retryAfterMs: goodbyeOf(reason).retryAfterMs,
  });
}

/** The protocol knows fewer reasons. */
function byeReasonOf(reason: GoodbyeReason): ByeReason {
  if (reason === "crowded") return "full";
  return reason === "failed" ? "protocol" : reason;
}
