/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { printError } from "./guarded.ts";
import { timerDelay } from "../base/limits.ts";
import { InvalidMessageError } from "../codec/codec.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import type { StreamEnd } from "../conn/chunk_reader.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import {
  ConversationEndedError,
  type EndReason,
  endReasonOf,
  type GoodbyeReason,
  goodbyeReasonOf,
} from "./end_reason.ts";
import type { ConversationOptions } from "./serve_options.ts";
import { type ConnInfo, type HandlerInfo, PeerInfo } from "./server_events.ts";
import type { TlsServerConn } from "./tls_conn.ts";

/**
 * Talks to one peer. It may use the connection until it returns, or until the promise that it returns has settled; then
 * the server closes it. What it returns otherwise does not matter.
 *
 * When the server ends the conversation, `receive` gives `null` and `info.signal` aborts; what the handler sends then
 * still arrives. A `Handler<MessageConn>` runs over any connection that carries messages.
 */
export type Handler<Conn = FramedConn> = (conn: Conn, info: HandlerInfo) => unknown;

/** How a conversation ended, and with which error, if there was one. */
export interface ConversationEnd {
  /** Why it ended. */
  reason: EndReason;
  /** What the handler or the handshake threw, or what kept the last bytes from being sent. */
  error?: unknown;
}

// When its connection was closed under it, a handler has this long to return before it is left to itself.
const ABANDON_MS = 1000;

/** A connection of a server, which it owns. When `run` has settled it is closed. */
export class Conversation {
  /** What the handler knows about it. */
  readonly info: HandlerInfo;
  readonly #tls: TlsServerConn | undefined;
  readonly #conn: FramedConn;
  readonly #options: ConversationOptions;
  #goodbye: GoodbyeReason | undefined;
  /** Why the handler's signal aborts, once it does. */
  #ended: ConversationEndedError | undefined;
  #controller: AbortController | undefined;
  #secured: boolean;
  #abandon: (() => void) | undefined;
  #kickTimer: ReturnType<typeof setTimeout> | undefined;
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a connection just accepted. */
  constructor(conn: Deno.TcpConn | TlsServerConn, info: ConnInfo, options: ConversationOptions) {
    this.info = new PeerInfo(info, this);
    this.#options = options;
    this.#tls = "handshake" in conn ? conn : undefined;
    this.#secured = this.#tls === undefined;
    this.#conn = new FramedConn(conn, this.#observed());
  }

  /** The signal of the handler, made when it is first asked for: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#ended) this.#controller.abort(this.#ended);
    else this.#conn.readAhead((end) => this.#tellEnd(...lossOf(end)));
    return this.#controller.signal;
  }

  /** Calls `handler`, sends the goodbye where that is due, and closes. Never rejects. */
  async run(handler: Handler): Promise<ConversationEnd> {
    let end: ConversationEnd;
    try {
      if (this.#tls) await this.#shakeHands(this.#tls);
      await this.#call(handler);
      end = { reason: this.#goodbye ?? this.#reasonOfReturn() };
    } catch (error) {
      end = this.#endOf(error);
    }
    this.#tellEnd(end.reason, end.error);
    this.#abandon = undefined;
    clearTimeout(this.#abandonTimer);
    const failure = await this.#close(end);
    clearTimeout(this.#kickTimer);
    const wasCut = this.#conn.dropped && (end.reason === "ended" || end.reason === "finished");
    return wasCut ? { reason: "lost", ...(failure !== undefined && { error: failure }) } : end;
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    this.#goodbye ??= reason;
    this.#tellEnd(this.#goodbye);
    // Before the handshake has ended, nothing can be sent.
    if (!this.#secured) return this.abort();
    this.#conn.closeRead();
    if (reason === "kicked") {
      this.#kickTimer ??= this.#after(this.#closeTimeoutMs, () => this.abort());
    }
  }

  /** Closes the connection at once. A handler that does not notice is left to itself. */
  abort(): void {
    this.#conn.abort();
    if (this.#abandon) this.#abandonTimer ??= setTimeout(this.#abandon, ABANDON_MS);
  }

  get #closeTimeoutMs(): number {
    return this.#options.closeTimeoutMs ?? 2000;
  }

  #observed(): FramedConnOptions {
    const { onEvent, onReceived, onSent } = this.#options;
    if (!onEvent) return this.#options;
    const conn = this.info;
    return {
      ...this.#options,
      onReceived: (bytes) => {
        onEvent({ type: "received", conn, bytes });
        onReceived?.(bytes);
      },
      onSent: (bytes) => {
        onEvent({ type: "sent", conn, bytes });
        onSent?.(bytes);
      },
    };
  }

  async #shakeHands(tls: TlsServerConn): Promise<void> {
    const timer = this.#after(this.#options.handshakeTimeoutMs ?? 10_000, () => this.end("idle"));
    try {
      await tls.handshake();
      this.#secured = true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Settles as the handler does, or when it is left to itself. */
  #call(handler: Handler): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#conn.closed) return resolve(undefined);
      this.#abandon = () => resolve(undefined);
      Promise.resolve(handler(this.#conn, this.info)).then(resolve, reject);
    });
  }

  #tellEnd(reason: EndReason, cause?: unknown): void {
    if (this.#ended) return;
    this.#ended = new ConversationEndedError(reason, { cause });
    this.#controller?.abort(this.#ended);
  }

  /** How the conversation ended whose handler threw `error`. To pass on the reason of its signal is no failure. */
  #endOf(error: unknown): ConversationEnd {
    const ended = this.#ended;
    if (ended && (error === ended || error instanceof Error && error.cause === ended)) {
      return { reason: ended.reason };
    }
    const reason = this.#goodbye ?? this.#reasonOf(error);
    const isOwn = reason === "failed" || this.#secured && !this.#isOfConn(error);
    if (isOwn && !this.#options.onEvent) printError("A handler threw", error);
    return { reason, error };
  }

  /** What a handler throws is its own failure, unless it passes on what this very connection threw. */
  #reasonOf(error: unknown): EndReason {
    const isOfConn = !this.#secured || this.#isOfConn(error);
    // Of the two limits that end in TimedOut, this is the one of sending.
    if (isOfConn && this.#conn.lost) return "lost";
    return isOfConn ? endReasonOf(error) : "failed";
  }

  /** Whether this very connection threw the error, or a codec that read a message of it. */
  #isOfConn(error: unknown): boolean {
    return this.#conn.failedWith(error) ||
      error instanceof InvalidMessageError && error.cameOn(this.#conn);
  }

  /** What a handler may know when it returns, and need not tell. */
  #reasonOfReturn(): EndReason {
    if (this.#conn.lost) return "lost";
    return this.#conn.finished ? "finished" : "ended";
  }

  /** Sends what is queued and the goodbye, and closes; returns the error of that, if any. */
  async #close({ reason, error }: ConversationEnd): Promise<unknown> {
    let failure: unknown;
    // A peer that has finished, and took everything, is not told anything and sends no more.
    const isDone = reason === "finished" && this.#conn.queuedBytes === 0;
    if (reason !== "lost" && !isDone && !this.#conn.closed) {
      this.#startCloseTimer();
      try {
        // A receive that the handler left pending would be in the way of reading to the end.
        this.#conn.closeRead();
        this.#sendGoodbye(reason, error);
        // It is refused where the handler has called it itself; if the peer is gone, reading shows that as well.
        await this.#conn.closeWrite().catch((error) => failure = error);
        await this.#conn.discard();
      } catch (error) {
        failure = error;
      } finally {
        clearTimeout(this.#closeTimer);
      }
    }
    this.#conn.close();
    await this.#conn.released;
    return failure;
  }

  /** While bytes are queued, the time does not run: how long that may last is up to `sendTimeoutMs`. */
  #startCloseTimer(): void {
    this.#closeTimer = this.#after(this.#closeTimeoutMs, () => {
      if (this.#conn.queuedBytes > 0) this.#startCloseTimer();
      else this.abort();
    });
  }

  /** Queues the goodbye. Nothing may come between it and `closeWrite`, so this does not wait. */
  #sendGoodbye(reason: EndReason, error: unknown): void {
    const told = goodbyeReasonOf(reason);
    if (told === undefined) return;
    const detail = told === "protocol" && error instanceof Error ? error.message : undefined;
    const text = this.#options.goodbye?.(told, detail);
    // One that is longer than a body may be is not sent, and closing says the rest.
    if (typeof text === "string") this.#conn.send(text).catch(() => {});
  }

  #after(ms: number, act: () => void): ReturnType<typeof setTimeout> | undefined {
    return ms > 0 ? setTimeout(act, timerDelay(ms)) : undefined;
  }
}

/** The reason and the cause of a conversation whose stream has ended. */
function lossOf({ how, error }: StreamEnd): [EndReason, unknown] {
  return [how === "lost" ? "lost" : "finished", error];
}
