/**
 * What a server tells while it works: one union serves the log file, the console and the tests alike.
 *
 * @module
 */
import type { GoodbyeReason } from "./goodbye.ts";
import type { ConnInfo } from "./conversation.ts";
import { FrameTooLargeError } from "../frame/frame.ts";

/**
 * Why a conversation ended: the peer `finished`; the handler `ended` it; the connection was `lost`; the stream was
 * `torn` inside a frame; or the server ended it for a reason of its own.
 */
export type EndReason = "finished" | "ended" | "lost" | "torn" | GoodbyeReason;

/** One event of a server's life. Sizes are those of bodies, in bytes; what was said is never part of an event. */
export type ServerEvent =
  | { type: "listening"; hostname: string; port: number; requestedPort: number }
  | { type: "connected"; conn: ConnInfo }
  | { type: "received" | "sent"; conn: ConnInfo; bytes: number }
  | { type: "disconnected"; conn: ConnInfo; reason: EndReason; error?: unknown }
  | { type: "refused"; peer: string; reason: GoodbyeReason }
  | { type: "accept_failed"; error: unknown }
  | { type: "paused" | "stopped" };

/**
 * Tells why a conversation ended from what its connection threw; what anything else threw is a reason for `failed`.
 */
export function endReasonOf(error: unknown): EndReason {
  // What the operating system tells has a code. It knows a TimedOut too: of a peer that no longer answers.
  if (error instanceof Error && "code" in error) return "lost";
  if (error instanceof Deno.errors.TimedOut) return "idle";
  if (error instanceof Deno.errors.UnexpectedEof) return "torn";
  if (error instanceof Deno.errors.InvalidData || error instanceof FrameTooLargeError) {
    return "protocol";
  }
  const lost = error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected;
  return lost ? "lost" : "failed";
}

/** Hands an event to `onEvent`; an exception there must not end the server. */
export function emit(
  onEvent: ((event: ServerEvent) => void) | undefined,
  event: ServerEvent,
): void {
  try {
    onEvent?.(event);
  } catch (error) {
    reportError(error);
  }
}
