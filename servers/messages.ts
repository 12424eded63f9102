/**
 * How the JSON servers receive and answer.
 *
 * @module
 */
import type { FramedConn, ReceiveOptions } from "../lib/framed_conn.ts";
import type { GoodbyeReason } from "../lib/goodbye.ts";
import {
  type ByeReason,
  type ClientMessage,
  type ErrorCode,
  parseClientMessage,
  type ServerMessage,
} from "../lib/protocol.ts";

/** Receives the next message that can be understood, and refuses those that cannot; `null` when the peer is done. */
export async function receiveMessage(
  conn: FramedConn,
  options: ReceiveOptions = {},
): Promise<ClientMessage | null> {
  for (;;) {
    const text = await receiveText(conn, options);
    if (text === null) return null;
    const parsed = parseClientMessage(text);
    if ("message" in parsed) return parsed.message;
    await replyError(conn, "bad_message", parsed.problem, { ref: parsed.ref });
  }
}

/** A body that is not UTF-8 is refused like any other message that is none: as an empty one. */
async function receiveText(conn: FramedConn, options: ReceiveOptions): Promise<string | null> {
  try {
    return await conn.receive(options);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return "";
    throw error;
  }
}

/** Sends one message. */
export function reply(conn: FramedConn, message: ServerMessage): Promise<void> {
  return conn.send(JSON.stringify(message));
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

// How long clients wait before they come back: a pause takes a person's time, a full server somebody's leaving.
const BYES: Record<GoodbyeReason, { reason: ByeReason; retryAfterMs?: number }> = {
  full: { reason: "full", retryAfterMs: 5000 },
  crowded: { reason: "full", retryAfterMs: 5000 },
  paused: { reason: "paused", retryAfterMs: 1000 },
  shutdown: { reason: "shutdown", retryAfterMs: 1000 },
  idle: { reason: "idle" },
  kicked: { reason: "kicked" },
  protocol: { reason: "protocol" },
  failed: { reason: "protocol", retryAfterMs: 1000 },
};

/** The goodbye of the JSON servers. */
export function goodbyeMessage(reason: GoodbyeReason): string {
  return JSON.stringify({ type: "bye", ...BYES[reason] });
}
