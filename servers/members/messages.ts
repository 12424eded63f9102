/**
 * What the JSON servers send.
 *
 * @module
 */
import {
  hasTooManyMarks,
  isTextTooLong,
  MAX_MARKS,
  TEXT_TOO_LONG,
} from "../../lib/chat/lengths.ts";
import { encodeFrame } from "../../lib/frame/frame.ts";
import { goodbyeOf, type GoodbyeReason } from "../../lib/server/end_reason.ts";
import type { ByeReason, ErrorCode, ServerMessage } from "../../lib/chat/protocol.ts";

/** A refusal of a message. */
export type Problem = { code: ErrorCode; message: string; retryAfterMs?: number | undefined };

/** What a client is told when storage is broken. */
export const UNAVAILABLE: Problem = {
  code: "unavailable",
  message: "The server cannot read or write its data: try again later",
  retryAfterMs: 1000,
};

/** Why a text is not taken, if it is not. */
export function problemOf(text: string): Problem | undefined {
  if (BLANK.test(text)) return { code: "bad_message", message: "Send a text that is not blank" };
  if (isTextTooLong(text)) return { code: "too_long", message: TEXT_TOO_LONG };
  return hasTooManyMarks(text) ? TOO_MANY_MARKS : undefined;
}

// Spaces, the Braille pattern without a dot, and what joins or varies characters. Other invisible ones are shown escaped.
const BLANK = /^[\s\u2800\u200c\u200d\ufe00-\ufe0f]*$/u;

const TOO_MANY_MARKS: Problem = {
  code: "bad_message",
  message: `Send a text with at most ${MAX_MARKS} combining marks on a character`,
};

/** Makes one message to clients a whole frame. What clients may send is limited; a list of users may be longer. */
export function frameOf(message: ServerMessage): Uint8Array {
  return encodeFrame(JSON.stringify(message));
}

/** Makes the refusal of a message, with the message's `ref`, if it has one. */
export function errorOf({ code, message, retryAfterMs }: Problem, ref?: string): ServerMessage {
  return {
    type: "error",
    code,
    message,
    ...(ref !== undefined && { ref }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The goodbye of the JSON servers. */
export function goodbyeMessage(reason: GoodbyeReason): string {
  const { retryAfterMs } = goodbyeOf(reason);
  return JSON.stringify({ type: "bye", reason: byeReasonOf(reason), retryAfterMs });
}

/** The protocol knows fewer reasons. */
function byeReasonOf(reason: GoodbyeReason): ByeReason {
  if (reason === "crowded") return "full";
  return reason === "failed" ? "protocol" : reason;
}
