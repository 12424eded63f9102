/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { normalizeAddress } from "../base/address.ts";
import { joinHostPort } from "../base/endpoint.ts";
import type { FramedConnOptions } from "../conn/byte_conn.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import {
  type EndReason,
  endReasonOf,
  type GoodbyeReason,
  goodbyeReasonOf,
  goodbyeText,
} from "./end_reason.ts";
import { type ConnInfo, emit, type ServerEvent } from "./server_events.ts";

/**
 * Holds one peer's conversation. It may use the connection until it returns; then the server closes it.
 *
 * When the server ends the conversation, `receive` gives `null`; whatever the handler sends then still arrives.
 */
export type Handler = (conn: FramedConn, info: ConnInfo) => Promise<void> | void;

/** Options for {@linkcode Conversation}. */
export interface ConversationOptions extends FramedConnOptions {
  /**
   * Makes the last message; `undefined` says nothing. The default is a sentence that begins with `Goodbye: `.
   *
   * What it throws is reported as uncaught, and the peer is told nothing; nor is it where the text cannot be sent.
   */
  goodbye?: (reason: GoodbyeReason, detail?: string) => string | undefined;
  /** Told of everything that happens. What it throws is reported as uncaught. */
  onEvent?: (event: ServerEvent) => void;
}

// A TLS peer has so long to shake hands, and any peer so long to take the goodbye and to close its end.
const HANDSHAKE_MS = 10_000;
const PARTING_MS = 2000;
// Whoever is kicked is gone by then, even if the handler still waits for the peer to read.
const KICK_MS = 2000;
// When its connection was closed under it, a handler has so long to return before nobody waits for it any more.
const ABANDON_MS = 1000;

/** A connection of a server, which it owns. When `hold` has settled it is closed. */
export class Conversation {
  /** Who is at the other end. */
  readonly info: ConnInfo;
  readonly #tcp: Deno.TcpConn | Deno.TlsConn;
  readonly #conn: FramedConn;
  readonly #options: ConversationOptions;
  #goodbye: GoodbyeReason | undefined;
  #shakingHands = false;
  #abandon: (() => void) | undefined;
  #kickTimer: ReturnType<typeof setTimeout> | undefined;
  #abandonTimer: ReturnType<typeof setTimeout> | undefined;

  /** Wraps a connection just accepted. */
  constructor(tcp: Deno.TcpConn | Deno.TlsConn, id: number, options: ConversationOptions) {
    this.info = infoOf(tcp, id);
    this.#tcp = tcp;
    this.#options = options;
    this.#conn = new FramedConn(tcp, this.#observed());
  }

  /** Lets `handler` talk to the peer, says goodbye where that is due, and closes. Never rejects. */
  async hold(handler: Handler): Promise<void> {
    const conn = this.info;
    this.#emit({ type: "connected", conn });
    let reason: EndReason;
    let error: unknown;
    try {
      if ("handshake" in this.#tcp) await this.#shakeHands(this.#tcp);
      await this.#talk(handler);
      reason = this.#goodbye ?? this.#howItEnded();
    } catch (caught) {
      error = caught;
      reason = this.#goodbye ?? this.#reasonFor(caught);
    } finally {
      this.#abandon = undefined;
      clearTimeout(this.#abandonTimer);
    }
    await this.#part(reason, error);
    clearTimeout(this.#kickTimer);
    this.#emit({ type: "disconnected", conn, reason, ...(error !== undefined && { error }) });
  }

  /** Tells the peer why it is not served, and closes. Never rejects. */
  async refuse(reason: GoodbyeReason): Promise<void> {
    await this.#part(reason);
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    this.#goodbye ??= reason;
    // Before the handshake is done, nothing can be said.
    if (this.#shakingHands) return this.abort();
    this.#conn.closeRead();
    if (reason === "kicked") {
      this.#kickTimer ??= setTimeout(() => this.abort(), KICK_MS);
    }
  }

  /** Closes the connection at once. A handler that does not notice is left to itself. */
  abort(): void {
    this.#conn.abort();
    if (this.#abandon) this.#abandonTimer ??= setTimeout(this.#abandon, ABANDON_MS);
  }

  #observed(): FramedConnOptions {
    if (!this.#options.onEvent) return this.#options;
    return {
      ...this.#options,
      onReceived: (bytes) => this.#emit({ type: "received", conn: this.info, bytes }),
      onSent: (bytes) => this.#emit({ type: "sent", conn: this.info, bytes }),
    };
  }

  #emit(event: ServerEvent): void {
    emit(this.#options.onEvent, event);
  }

  async #shakeHands(tls: Deno.TlsConn): Promise<void> {
    const timer = setTimeout(() => this.end("idle"), HANDSHAKE_MS);
    this.#shakingHands = true;
    try {
      await tls.handshake();
      this.#shakingHands = false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Settles as the handler does, or when nobody waits for it any more. */
  #talk(handler: Handler): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#abandon = resolve;
      Promise.resolve(handler(this.#conn, this.info)).then(resolve, reject);
    });
  }

  /** What a handler throws is its own failure, unless it passes on what this very connection threw. */
  #reasonFor(error: unknown): EndReason {
    const fromConn = this.#shakingHands || this.#conn.failedWith(error);
    // Of the two limits that end in TimedOut, this is the one of sending.
    if (fromConn && this.#conn.lost) return "lost";
    return fromConn ? endReasonOf(error) : "failed";
  }

  /** What a handler may know when it returns, and need not tell. */
  #howItEnded(): EndReason {
    if (this.#conn.lost) return "lost";
    return this.#conn.finished ? "finished" : "ended";
  }

  async #part(reason: EndReason, error?: unknown): Promise<void> {
    // A peer that has left is not told anything.
    const isGone = reason === "finished" || reason === "lost" || this.#conn.closed;
    if (!isGone) await this.#takeLeave(reason, error);
    this.#conn.close();
    // What the handler sent last is still on its way to a slow peer.
    await this.#conn.released;
  }

  async #takeLeave(reason: EndReason, error: unknown): Promise<void> {
    const timer = setTimeout(() => this.abort(), PARTING_MS);
    try {
      // A receive that the handler left pending would be in the way of reading to the end.
      this.#conn.closeRead();
      this.#sayGoodbye(reason, error);
      // It is refused where the handler has finished sending itself; whether the peer is gone, reading tells as well.
      await this.#conn.closeWrite().catch(() => {});
      await this.#conn.discard();
    } catch {
      // The peer is gone in the middle of the goodbye: nobody is left to tell.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Queues the goodbye. Nothing may come between it and `closeWrite`, so nobody waits here. */
  #sayGoodbye(reason: EndReason, error: unknown): void {
    const told = goodbyeReasonOf(reason);
    if (told === undefined) return;
    const text = this.#goodbyeText(told, error);
    // One that is longer than a body may be is not sent, and closing says the rest.
    if (text !== undefined) this.#conn.send(text).catch(() => {});
  }

  #goodbyeText(reason: GoodbyeReason, error: unknown): string | undefined {
    const { goodbye = goodbyeText } = this.#options;
    const detail = reason === "protocol" && error instanceof Error ? error.message : undefined;
    try {
      return goodbye(reason, detail);
    } catch (thrown) {
      reportError(thrown);
      return undefined;
    }
  }
}

function infoOf(tcp: Deno.TcpConn | Deno.TlsConn, id: number): ConnInfo {
  const { hostname, port } = tcp.remoteAddr as Deno.NetAddr;
  const address = normalizeAddress(hostname);
  const connectedAt = Math.round(performance.timeOrigin + performance.now());
  return { id, peer: joinHostPort(address, port), address, connectedAt };
}
