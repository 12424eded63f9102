/**
 * What a server says last, so that nobody wonders why a connection ended.
 *
 * @module
 */

/**
 * Why a server ends a conversation that the peer has not ended: it is full, or has too many connections from the
 * peer's address (`crowded`), pauses, shuts down, heard nothing for too long, was told to end it, cannot read what it
 * got, or its handler failed.
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

/** How every goodbye of a text dialogue begins: a client can tell it from an answer. */
export const GOODBYE_PREFIX = "Goodbye: ";

const SENTENCES: Record<GoodbyeReason, string> = {
  full: "the server is full, try again later",
  crowded: "too many connections from your address, close one and try again",
  paused: "the server pauses, come back in a moment",
  shutdown: "the server stops",
  idle: "nothing was heard from you for too long",
  kicked: "the operator ended the connection",
  protocol: "what you sent cannot be read",
  failed: "the server could not go on, try again",
};

/** The goodbye of a text dialogue; `detail` says more than the reason does. */
export function goodbyeText(reason: GoodbyeReason, detail?: string): string {
  return GOODBYE_PREFIX + (detail ?? SENTENCES[reason]);
}
