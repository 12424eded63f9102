/**
 * The signal of a handler: aborts when its conversation ends.
 *
 * @module
 */
import { type ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { StreamEnd } from "../conn/chunk_reader.ts";
import { type ConversationEnd, ConversationEndedError, type EndReason } from "./end_reason.ts";

/** An `AbortSignal` that is made when it is first asked for, because most handlers never do. */
export class EndSignal {
  /** Where the end of the stream is noticed. */
  conn: ByteConn;
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

  /** The reason that `error` passes on, itself or as its cause. */
  reasonIn(error: unknown): EndReason | undefined {
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
