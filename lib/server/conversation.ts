/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { printError } from "./guarded.ts";
import { timerDelay } from "../base/limits.ts";
import { InvalidMessageError } from "../codec/codec.ts";
import type { ByteConn } from "../conn/byte_conn.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import type { MessageConn } from "../conn/message_conn.ts";
import {
  type EndReason,
  endReasonOf,
  type GoodbyeReason,
  goodbyeReasonOf,
  goodbyeText,
} from "./end_reason.ts";
import {
  type HttpConversation,
  type HttpOption,
  type HttpProtocol,
  protocolOf,
} from "./http_protocol.ts";
import type { ConversationEnd, ConversationOptions } from "./conversation_options.ts";
import type { ConnInfo } from "./server_events.ts";
import type { TlsServerConn } from "./tls_conn.ts";

/**
 * Talks to one peer. It may use the connection until it returns; then the server closes it.
 *
 * When the server ends the conversation, `receive` gives `null`; what the handler sends then still arrives.
 *
 * A `Handler<MessageConn>` runs over any connection that carries messages.
 */
export type Handler<Conn = FramedConn> = (conn: Conn, info: ConnInfo) => Promise<void> | void;

// When its connection was closed under it, a handler has this long to return before it is left to itself.
const ABANDON_MS = 1000;

/** A connection of a server, which it owns. When `run` has settled it is closed. */
export class Conversation {
  /** The peer. It becomes another object when its protocol turns out to be another. */
  info: ConnInfo;
  readonly #tls: TlsServerConn | undefined;
  /** What the bytes go through, and what the messages do, where there are messages. */
  #conn: ByteConn;
  #messages: (ByteConn & MessageConn) | undefined;
  #http: HttpConversation | undefined;
  #isAnnounced = false;
  readonly #options: ConversationOptions & HttpOption;
  #goodbye: GoodbyeReason | undefined;
  #secured: boolean;
  #abandon: (() => void) | undefined;
  #kickTimer: ReturnType<typeof setTimeout> | undefined;
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a connection just accepted. */
  constructor(
    conn: Deno.TcpConn | TlsServerConn,
    info: ConnInfo,
    options: ConversationOptions & HttpOption,
  ) {
    this.info = info;
    this.#options = options;
    this.#tls = "handshake" in conn ? conn : undefined;
    this.#secured = this.#tls === undefined;
    this.#conn = this.#messages = new FramedConn(conn, this.#observed());
  }

  /** How many HTTP requests were answered. */
  get requests(): number {
    return this.#http?.requests ?? 0;
  }

  /** Calls `handler`, sends the goodbye where that is due, and closes. Never rejects. */
  async run(handler: Handler): Promise<ConversationEnd> {
    let end: ConversationEnd;
    try {
      if (!this.#options.http) this.#announce();
      if (this.#tls) await this.#shakeHands(this.#tls);
      const { http } = this.#options;
      const conn = http ? await this.#negotiate(http) : this.#messages;
      if (conn) await this.#call(handler, conn);
      end = { reason: this.#goodbye ?? this.#reasonOfReturn() };
    } catch (error) {
      end = { reason: this.#goodbye ?? this.#reasonOf(error), error };
      const isOwn = end.reason === "failed" || this.#secured && !this.#isOfConn(error);
      if (isOwn && !this.#options.onEvent) printError("A handler threw", error);
    }
    this.#abandon = undefined;
    clearTimeout(this.#abandonTimer);
    this.#announce();
    const failure = await this.#close(end);
    clearTimeout(this.#kickTimer);
    const wasCut = this.#conn.dropped && (end.reason === "ended" || end.reason === "finished");
    return wasCut ? { reason: "lost", ...(failure !== undefined && { error: failure }) } : end;
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    this.#goodbye ??= reason;
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

  /** Finds out what the peer speaks, and gives what carries its messages. HTTP is spoken until it has opened a WebSocket. */
  async #negotiate(http: HttpProtocol): Promise<MessageConn | undefined> {
    const framed = this.#messages as FramedConn;
    const protocol = await protocolOf(framed, http);
    if (protocol === "nothing") return void this.end("idle");
    if (protocol === "frames") return framed;
    this.#messages = undefined;
    this.#conn = this.#http = http.open(framed, this.#observed());
    this.info = { ...this.info, protocol };
    const webSocket = await this.#http.negotiate();
    if (!webSocket) return undefined;
    this.#conn = this.#messages = webSocket;
    this.info = { ...this.info, protocol: "websocket" };
    if (this.#goodbye) webSocket.closeRead();
    return webSocket;
  }

  /** Reports the peer, once, unless all that it wants is pages. */
  #announce(): void {
    if (!this.#isAnnounced && this.info.protocol !== "http") {
      this.#options.onEvent?.({ type: "connected", conn: this.info });
    }
    this.#isAnnounced = true;
  }

  /** Settles as the handler does, or when it is left to itself. */
  #call(handler: Handler, conn: MessageConn): Promise<void> {
    this.#announce();
    return new Promise((resolve, reject) => {
      if (this.#conn.closed) return resolve();
      this.#abandon = resolve;
      // Where there is HTTP, `serve` takes handlers that know no more than a `MessageConn`.
      Promise.resolve(handler(conn as FramedConn, this.info)).then(resolve, reject);
    });
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
    const { goodbye = goodbyeText } = this.#options;
    const detail = told === "protocol" && error instanceof Error ? error.message : undefined;
    const text = goodbye(told, detail);
    // One that is longer than a body may be is not sent, and closing says the rest.
    if (typeof text === "string") this.#messages?.send(text).catch(() => {});
  }

  #after(ms: number, act: () => void): ReturnType<typeof setTimeout> | undefined {
    return ms > 0 ? setTimeout(act, timerDelay(ms)) : undefined;
  }
}
