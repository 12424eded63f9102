/**
 * How a conversation ends, and the signal that tells its handler.
 *
 * @module
 */
import { type ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { StreamEnd } from "../conn/chunk_reader.ts";
import { InvalidMessageError } from "../codec/codec.ts";
import {
  type ConversationEnd,
  ConversationEndedError,
  type EndReason,
  endReasonOf,
  type GoodbyeReason,
} from "./end_reason.ts";

/**
 * What is known about the end of a conversation. Its `AbortSignal` is made when it is first asked for, because most
 * handlers never do.
 */
export class EndSignal {
  /** Where the end of the stream is noticed. */
  conn: ByteConn;
  /** Why this side ends the conversation, once it does. */
  goodbye: GoodbyeReason | undefined;
  #controller: AbortController | undefined;
  #end: ConversationEnd | undefined;
  /** Made for the signal: an error costs more than the rest of a short conversation. */
  #error: ConversationEndedError | undefined;

  /** Makes the signal of a conversation over `conn`. */
  constructor(conn: ByteConn) {
    this.conn = conn;
  }

  /** The signal. From now on, the end of the stream is noticed while nothing is received. */
  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#end) this.#abort(this.#controller, this.#end);
    else {
      internalsOf(this.conn).readAhead(({ how, error }) =>
        this.abort({ reason: reasonOf(how), error })
      );
    }
    return this.#controller.signal;
  }

  /** Aborts, unless it has: the first reason counts. */
  abort(end: ConversationEnd): void {
    if (this.#end) return;
    this.#end = end;
    if (this.#controller) this.#abort(this.#controller, end);
  }

  #abort(controller: AbortController, { reason, error: cause }: ConversationEnd): void {
    this.#error = new ConversationEndedError(reason, { cause });
    controller.abort(this.#error);
  }

  /** How the conversation ended whose handler threw `error`. To pass on the reason of the signal is no failure. */
  endOfThrown(error: unknown): ConversationEnd {
    const passedOn = this.#reasonIn(error);
    if (passedOn) return { reason: passedOn };
    return { reason: this.goodbye ?? this.#reasonOf(error), error };
  }

  /** What a handler may know when it returns, and need not tell. */
  endOfReturn(): ConversationEnd {
    if (this.goodbye) return { reason: this.goodbye };
    if (internalsOf(this.conn).lost) return { reason: "lost" };
    return { reason: internalsOf(this.conn).finished ? "finished" : "ended" };
  }

  /** Whether this very connection threw the error, or a codec that read a message of it. */
  isOfConn(error: unknown): boolean {
    return internalsOf(this.conn).failedWith(error) ||
      error instanceof InvalidMessageError && error.cameOn(this.conn);
  }

  /** What a handler throws is its own failure, unless it passes on what this very connection threw. */
  #reasonOf(error: unknown): EndReason {
    if (!this.isOfConn(error)) return "failed";
    // Of the two limits that end in TimedOut, this is the one of sending.
    return internalsOf(this.conn).lost ? "lost" : endReasonOf(error);
  }

  /** The reason of the signal that `error` passes on, itself or as its cause. */
  #reasonIn(error: unknown): EndReason | undefined {
    if (!this.#error) return undefined;
    const isPassedOn = error === this.#error ||
      error instanceof Error && error.cause === this.#error;
    return isPassedOn ? this.#error.reason : undefined;
  }
}

function reasonOf(how: StreamEnd["how"]): EndReason {
  if (how === "broken") return "protocol";
  return how === "lost" ? how : "finished";
}
