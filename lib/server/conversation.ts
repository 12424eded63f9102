/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { printError } from "./guarded.ts";
import { Latch } from "../base/latch.ts";
import { timerDelay } from "../base/limits.ts";
import { InvalidMessageError } from "../codec/codec.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import { type EndReason, endReasonOf, type GoodbyeReason, goodbyeReasonOf } from "./end_reason.ts";
import { EndSignal } from "./end_signal.ts";
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

/** Called when a conversation has ended and its connection is closed. */
export type OnConversationEnd = (conversation: Conversation, end: ConversationEnd) => void;

/** A connection of a server, which it owns. An idle one keeps as few objects as possible. */
export class Conversation {
  /** What the handler knows about it. */
  readonly info: HandlerInfo;
  readonly #tls: TlsServerConn | undefined;
  readonly #conn: FramedConn;
  readonly #options: ConversationOptions;
  readonly #onEnd: OnConversationEnd;
  readonly #signal: EndSignal;
  readonly #over = new Latch();
  #goodbye: GoodbyeReason | undefined;
  #secured: boolean;
  #isClosing = false;
  #kickTimer: ReturnType<typeof setTimeout> | undefined;
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a connection just accepted. */
  constructor(
    conn: Deno.TcpConn | TlsServerConn,
    info: ConnInfo,
    options: ConversationOptions,
    onEnd: OnConversationEnd = () => {},
  ) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#tls = "handshake" in conn ? conn : undefined;
    this.#secured = this.#tls === undefined;
    this.#conn = new FramedConn(conn, this.#observed());
    this.#signal = new EndSignal(this.#conn);
    this.info = new PeerInfo(info, this.#signal);
  }

  /** Settles after `onEnd`. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Calls `handler`, sends the goodbye where that is due, closes, and calls `onEnd`. Never rejects. */
  async run(handler: Handler): Promise<void> {
    let end: ConversationEnd;
    try {
      if (this.#tls) await this.#shakeHands(this.#tls);
      if (!this.#conn.closed) await handler(this.#conn, this.info);
      end = this.#endOfReturn();
    } catch (error) {
      // What a handler does that was left to itself does not matter.
      if (this.#isClosing) return;
      end = this.#endOf(error);
    }
    await this.#finish(end);
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    this.#goodbye ??= reason;
    this.#signal.abort(this.#goodbye);
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
    if (this.#isClosing) return;
    this.#abandonTimer ??= setTimeout(() => this.#finish(this.#endOfReturn()), ABANDON_MS);
  }

  get #closeTimeoutMs(): number {
    return this.#options.closeTimeoutMs ?? 2000;
  }

  #observed(): FramedConnOptions {
    const { onEvent, onReceived, onSent } = this.#options;
    if (!onEvent) return this.#options;
    return {
      ...this.#options,
      onReceived: (bytes) => {
        onEvent({ type: "received", conn: this.info, bytes });
        onReceived?.(bytes);
      },
      onSent: (bytes) => {
        onEvent({ type: "sent", conn: this.info, bytes });
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

  async #finish(end: ConversationEnd): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#signal.abort(end.reason, end.error);
    clearTimeout(this.#abandonTimer);
    const failure = await this.#close(end);
    clearTimeout(this.#kickTimer);
    const wasCut = this.#conn.dropped && (end.reason === "ended" || end.reason === "finished");
    const cut = { reason: "lost" as const, ...(failure !== undefined && { error: failure }) };
    this.#onEnd(this, wasCut ? cut : end);
    this.#over.open();
  }

  /** How the conversation ended whose handler threw `error`. To pass on the reason of its signal is no failure. */
  #endOf(error: unknown): ConversationEnd {
    const passedOn = this.#signal.reasonIn(error);
    if (passedOn) return { reason: passedOn };
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
  #endOfReturn(): ConversationEnd {
    if (this.#goodbye) return { reason: this.#goodbye };
    if (this.#conn.lost) return { reason: "lost" };
    return { reason: this.#conn.finished ? "finished" : "ended" };
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
