/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { printError } from "./guarded.ts";
import { Latch } from "../base/latch.ts";
import { timerDelay } from "../base/numbers.ts";
import { readable } from "../base/thrown.ts";
import { type ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { FramedConnOptions, Transport } from "../conn/conn_options.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import type { MessageConn } from "../conn/message_conn.ts";
import type { MessageObserver } from "../frame/frame.ts";
import { type ConversationEnd, endReasonOf, type GoodbyeReason } from "./end_reason.ts";
import { EndSignal } from "./end_signal.ts";
import { finish, sendGoodbye } from "./finish.ts";
import type { Carrier, HttpConversation, HttpProtocol } from "./http_protocol.ts";
import { protocolOf, release } from "./http_protocol.ts";
import type { ConversationOptions, HttpOption } from "./serve_options.ts";
import { type ConnInfo, type HandlerInfo, PeerInfo } from "./server_events.ts";
import { TlsServerConn } from "./tls/tls_server_conn.ts";

/**
 * Talks to one peer. It may use the connection until it returns, or until the promise that it returns has settled; then
 * the server closes it. What it returns otherwise does not matter.
 *
 * When the server ends the conversation, `receive` gives `null` and `info.signal` aborts; what the handler sends then
 * still arrives. A `Handler<MessageConn>` runs over any connection that carries messages.
 */
export type Handler<Conn = FramedConn> = (conn: Conn, info: HandlerInfo) => unknown;

// When its connection was closed under it, a handler has this long to return before it is left to itself.
const ABANDON_MS = 1000;
const CLOSE_MS = 2000;

/** Called when a conversation has ended and its connection is closed. */
export type OnConversationEnd = (conversation: Conversation, end: ConversationEnd) => void;

/** A connection of a server, which it owns. An idle one keeps as few objects as possible. */
export class Conversation implements MessageObserver {
  /** What the handler knows about it. */
  readonly info: PeerInfo;
  /** What has carried its HTTP requests, if there were any. */
  http: HttpConversation | undefined;
  readonly #tls: TlsServerConn | undefined;
  #conn: ByteConn;
  #messages: Carrier | undefined;
  #isAnnounced = false;
  readonly #options: ConversationOptions & HttpOption;
  readonly #onEnd: OnConversationEnd;
  readonly #end: EndSignal;
  readonly #over = new Latch();
  #secured: boolean;
  #isClosing = false;
  #kickTimer: ReturnType<typeof setTimeout> | undefined;
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a connection just accepted. */
  constructor(
    conn: Transport,
    info: ConnInfo,
    options: ConversationOptions & HttpOption,
    onEnd: OnConversationEnd = () => {},
  ) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#tls = conn instanceof TlsServerConn ? conn : undefined;
    this.#secured = this.#tls === undefined;
    this.#conn = this.#messages = new FramedConn(conn, this.#observed());
    this.#end = new EndSignal(this.#conn);
    this.info = new PeerInfo(info, this.#end);
  }

  /** Settles after `onEnd`. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Calls `handler`, and when that has ended, sends the goodbye where it is due, closes, and calls `onEnd`. */
  async run(handler: Handler): Promise<void> {
    try {
      const { http } = this.#options;
      if (!http) this.#announce();
      if (this.#tls && !await this.#shakeHands(this.#tls)) return;
      const conn = http ? await this.#negotiate(http) : this.#messages;
      const isOpen = conn !== undefined && !conn.closed;
      const returned = isOpen ? handler(conn as FramedConn, this.info) : undefined;
      // To await it would keep the frame of this function as long as the connection lives.
      Promise.resolve(returned).then(
        () => this.#finish(this.#end.endOfReturn()),
        (error) => this.#onThrown(error),
      );
    } catch (error) {
      this.#onThrown(error);
    }
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    // A server that stops while it pauses does not come back in a moment.
    if (this.#end.goodbye === "paused" && reason === "shutdown") this.#end.goodbye = reason;
    this.#end.goodbye ??= reason;
    this.#end.abort({ reason: this.#end.goodbye });
    // Before the handshake has ended, nothing can be sent.
    if (!this.#secured) return this.abort();
    this.#conn.closeRead();
    if (reason === "kicked") {
      const { closeTimeoutMs = CLOSE_MS } = this.#options;
      this.#kickTimer ??= this.#after(closeTimeoutMs, () => this.abort());
    }
  }

  /** Closes the connection at once. A handler that does not notice is left to itself. */
  abort(): void {
    this.#conn.abort();
    if (this.#isClosing) return;
    this.#abandonTimer ??= setTimeout(() => this.#finish(this.#end.endOfReturn()), ABANDON_MS);
  }

  /** Reports a message that the handler was given. */
  onReceived(bytes: number): void {
    this.#options.onEvent?.({ type: "received", conn: this.info, bytes });
    this.#options.onReceived?.(bytes);
  }

  /** Reports a message of which the write begins. */
  onSent(bytes: number): void {
    this.#options.onEvent?.({ type: "sent", conn: this.info, bytes });
    this.#options.onSent?.(bytes);
  }

  #observed(): FramedConnOptions {
    return this.#options.onEvent ? { ...this.#options, observer: this } : this.#options;
  }

  #onThrown(thrown: unknown): void {
    // What a handler does that was left to itself does not matter.
    if (this.#isClosing) return;
    const error = readable(thrown);
    const end = this.#end.endOfThrown(error);
    const isOwn = end.reason === "failed" || "error" in end && !this.#end.isOfConn(error);
    if (isOwn && !this.#options.onEvent) printError("A handler threw", error);
    this.#finish(end);
  }

  /** Returns whether the connection is secure now. */
  async #shakeHands(tls: TlsServerConn): Promise<boolean> {
    const timer = this.#after(this.#options.handshakeTimeoutMs ?? 10_000, () => this.end("idle"));
    try {
      await tls.handshake();
      this.#secured = true;
      this.info.certificate = tls.certificate;
    } catch (error) {
      this.#finish({ reason: this.#end.goodbye ?? endReasonOf(error), error });
    } finally {
      clearTimeout(timer);
    }
    return this.#secured;
  }

  /** Finds out what the peer speaks, and gives what carries its messages. HTTP is spoken until it has opened a WebSocket. */
  async #negotiate(http: HttpProtocol): Promise<MessageConn | undefined> {
    const framed = this.#messages as FramedConn;
    const protocol = await protocolOf(framed, http, this.info, () => this.end("crowded"));
    if (protocol === "nothing" || this.#end.goodbye) return void this.end("idle");
    if (protocol === "http" && !framed.closed) {
      this.#messages = undefined;
      this.http = this.#use(http.open(framed, this.#observed()));
      this.info.protocol = protocol;
      const webSocket = await this.http.negotiate();
      if (!webSocket) return undefined;
      this.info.protocol = "websocket";
      this.#messages = this.#use(webSocket);
    }
    this.#announce();
    return this.#messages;
  }

  #use<Conn extends ByteConn>(conn: Conn): Conn {
    this.#conn = this.#end.conn = conn;
    if (this.#end.goodbye) conn.closeRead();
    return conn;
  }

  /** Reports the peer, once, unless all that it wants is pages. */
  #announce(): void {
    if (!this.#isAnnounced && this.info.protocol !== "http") {
      this.#options.onEvent?.({ type: "connected", conn: this.info });
    }
    this.#isAnnounced = true;
  }

  async #finish(end: ConversationEnd): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    release(this.#options.http, this.info, end.error);
    this.#end.abort(end);
    clearTimeout(this.#abandonTimer);
    this.#announce();
    const failure = await this.#close(end);
    clearTimeout(this.#kickTimer);
    const wasCut = internalsOf(this.#conn).dropped &&
      (end.reason === "ended" || end.reason === "finished");
    const cut = { reason: "lost" as const, ...(failure !== undefined && { error: failure }) };
    this.#onEnd(this, wasCut ? cut : end);
    this.#over.open();
  }

  /** Sends what is queued and the goodbye, and closes; returns the error of that, if any. */
  async #close(end: ConversationEnd): Promise<unknown> {
    // A peer that has finished, and took everything, is not told anything and sends no more.
    const isDone = end.reason === "finished" && this.#conn.queuedBytes === 0;
    const { closeTimeoutMs = CLOSE_MS, goodbye } = this.#options;
    const failure = end.reason === "lost" || isDone || this.#conn.closed
      ? undefined
      : await finish(this.#conn, closeTimeoutMs, () => sendGoodbye(this.#messages, end, goodbye));
    this.#conn.close();
    await internalsOf(this.#conn).released;
    return failure;
  }

  #after(ms: number, act: () => void): ReturnType<typeof setTimeout> | undefined {
    return ms > 0 ? setTimeout(act, timerDelay(ms)) : undefined;
  }
}
