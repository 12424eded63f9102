/**
 * Why a conversation ended: one table, from which goodbyes, events, logs and clients take what they need.
 *
 * @module
 */
import { FrameTooLargeError } from "../frame/frame.ts";

/**
 * What a client does after a goodbye: connect again after `retryAfterMs` (`retry`); connect again when it has something
 * to send (`wait`); find out first whether what it sent is the cause (`check`); not connect again by itself (`stop`).
 */
export type ClientAction = "retry" | "wait" | "check" | "stop";

/** What is known about an end that the peer is told about. */
export interface Goodbye {
  /** The reason in words. */
  readonly sentence: string;
  /** What a client should do. */
  readonly action: ClientAction;
  /** When it should do so, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/**
 * Why a server ends a conversation that the peer has not ended: it is `full`, or has too many connections from the
 * peer's address (`crowded`); it is `paused`; it stops (`shutdown`); the peer was `idle` for too long, was `kicked`, or
 * sent what cannot be read (`protocol`); the handler threw (`failed`).
 */
export type GoodbyeReason =
  | "full"
  | "crowded"
  | "paused"
  | "shutdown"
  | "idle"
  | "kicked"
  | "protocol"
  | "failed";

/**
 * Why a conversation ended. The peer is told a {@linkcode GoodbyeReason} only. It is told nothing when it `finished`
 * itself, when the handler returned (`ended`), or when the connection was `lost`; when the stream ended inside a frame
 * (`truncated`), it is told `protocol`.
 */
export type EndReason = "finished" | "ended" | "lost" | "truncated" | GoodbyeReason;

/** How a conversation ended, and with which error, if there was one. */
export interface ConversationEnd {
  /** Why it ended. */
  reason: EndReason;
  /** What the handler or the handshake threw, or what kept the last bytes from being sent. */
  error?: unknown;
}

// A pause lasts as long as a person takes; a full server waits for another client to leave.
const GOODBYES: Record<GoodbyeReason, Goodbye> = {
  full: {
    sentence: "the server is full, try again later",
    action: "retry",
    retryAfterMs: 5000,
  },
  crowded: {
    sentence: "too many connections from your address, close one and try again",
    action: "retry",
    retryAfterMs: 5000,
  },
  paused: {
    sentence: "the server pauses, come back in a moment",
    action: "retry",
    retryAfterMs: 1000,
  },
  shutdown: { sentence: "the server stops", action: "retry", retryAfterMs: 1000 },
  idle: { sentence: "nothing was heard from you for too long", action: "wait" },
  kicked: { sentence: "the operator ended the connection", action: "stop" },
  protocol: { sentence: "what you sent cannot be read", action: "check" },
  failed: {
    sentence: "the server could not go on, try again",
    action: "check",
    retryAfterMs: 1000,
  },
};

/** How every goodbye of a text dialogue begins, so that a client can distinguish it from an answer. */
export const GOODBYE_PREFIX = "Goodbye: ";

/** What the peer is told at an end for this reason, or `undefined` if nothing. */
export function goodbyeReasonOf(reason: EndReason): GoodbyeReason | undefined {
  if (reason === "truncated") return "protocol";
  return reason === "finished" || reason === "lost" || reason === "ended" ? undefined : reason;
}

/**
 * Checks the reason for which a program ends conversations.
 *
 * @throws {TypeError} If it is not a {@linkcode GoodbyeReason}.
 */
export function checkGoodbyeReason(reason: unknown): void {
  if (typeof reason === "string" && Object.hasOwn(GOODBYES, reason)) return;
  const advice = `Give one of ${Object.keys(GOODBYES).join(", ")}`;
  throw new TypeError(`Cannot end a conversation: the reason is unknown. ${advice}`);
}

/** What the table says about a reason. */
export function goodbyeOf(reason: GoodbyeReason): Goodbye {
  return GOODBYES[reason];
}

/** The goodbye of a text dialogue; `detail` replaces the sentence of the reason. */
export function goodbyeText(reason: GoodbyeReason, detail?: string): string {
  return GOODBYE_PREFIX + (detail ?? GOODBYES[reason].sentence);
}

/** What a client should do after a goodbye text: `check` if it has a detail, or is not one of ours. */
export function actionAfter(text: string): ClientAction {
  const goodbyes = Object.values(GOODBYES);
  return goodbyes.find(({ sentence }) => text === GOODBYE_PREFIX + sentence)?.action ?? "check";
}

/**
 * The reason of `info.signal`: the conversation is over, as seen by the server.
 *
 * A handler may throw it, or let it through: that is no failure of the handler.
 */
export class ConversationEndedError extends Error {
  /** Always `ConversationEndedError`. */
  override readonly name = "ConversationEndedError";
  /** Why the conversation ended. */
  readonly reason: EndReason;

  /** Makes the error; `options.cause` is what a read failed with, if anything. */
  constructor(reason: EndReason, options?: ErrorOptions) {
    super(`Cannot continue the conversation: ${sentenceOf(reason)}`, options);
    this.reason = reason;
  }
}

function sentenceOf(reason: EndReason): string {
  if (reason === "finished") return "the peer has finished";
  if (reason === "lost") return "the connection is lost";
  if (reason === "ended") return "the handler has returned";
  if (reason === "truncated") return "the stream ended inside a frame";
  return GOODBYES[reason].sentence;
}

/** Why a conversation ended whose connection threw `error`. */
export function endReasonOf(error: unknown): EndReason {
  // Errors of the operating system have a code. It has a TimedOut of its own: the peer no longer acknowledges.
  if (error instanceof Error && "code" in error) return "lost";
  if (error instanceof Deno.errors.TimedOut) return "idle";
  if (error instanceof Deno.errors.UnexpectedEof) return "truncated";
  if (error instanceof Deno.errors.InvalidData || error instanceof FrameTooLargeError) {
    return "protocol";
  }
  const isLost = error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected;
  return isLost ? "lost" : "failed";
}
