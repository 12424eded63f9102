/**
 * How long the line client waits: for the first answer, and after the end of its input.
 *
 * @module
 */

import type { LineConn } from "./line_client_options.ts";

/** How long the server may take to close when every line has its answer, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/** Without an answer for this long, the half-close tells the server that no line follows, in milliseconds. */
const HALF_CLOSE_MS = 2000;

/** How long a server may take for its first answer before the hint, in milliseconds. */
const HINT_MS = 10_000;

/** Tells what to check when no server answers; clear the timer it gives when one does. */
export function hintLater(tell: (text: string) => void): ReturnType<typeof setTimeout> {
  // One of another kind may wait for what a frame does not have, such as the end of a line.
  const text = "no answer yet: check the port, it may be another server's";
  return setTimeout(() => tell(text), HINT_MS);
}

/**
 * Half-closes a connection when every line is answered, or none for a while, and then waits for the server's end.
 *
 * Not earlier: servers that close at a half-close, as Twisted's do by default, drop the answers they still owe.
 */
export class SilenceLimit {
  readonly #answerTimeoutMs: number;
  readonly #onEnd: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes how long to wait for an answer, in milliseconds, and what to do after that. */
  constructor(answerTimeoutMs: number, onEnd: () => void) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#onEnd = onEnd;
  }

  /** Waits from now on, after an answer or at the beginning; without a connection, for one. */
  restart(conn: LineConn | undefined, isAnswered: boolean): void {
    this.clear();
    if (!conn || isAnswered) return this.#waitForEnd(conn, isAnswered);
    const limitMs = Math.min(HALF_CLOSE_MS, this.#answerTimeoutMs);
    this.#timer = setTimeout(() => this.#waitForEnd(conn, isAnswered), limitMs);
  }

  /** Waits no more. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #waitForEnd(conn: LineConn | undefined, isAnswered: boolean): void {
    conn?.closeWrite().catch(() => {/* The connection is broken: receive() tells why. */});
    this.#timer = setTimeout(this.#onEnd, isAnswered ? CLOSE_TIMEOUT_MS : this.#answerTimeoutMs);
  }
}
