/**
 * One accepted connection and the handler that talks to it, from the first byte to the goodbye.
 *
 * @module
 */
import { normalizeAddress } from "./address.ts";
import { FramedConn, type FramedConnOptions } from "./framed_conn.ts";
import { type GoodbyeReason, goodbyeText } from "./goodbye.ts";
import { type EndReason, endReasonOf, type ServerEvent } from "./server_events.ts";

/** Who is at the other end of a connection. */
export interface ConnInfo {
  /** Counts the connections of a server, from 1. */
  readonly id: number;
  /** The peer's address and port, as `127.0.0.1:50312` or `[::1]:50312`. */
  readonly peer: string;
  /** The peer's address alone; an IPv4 address that came in over IPv6 is shown as IPv4. */
  readonly address: string;
  /** When it connected, in milliseconds since 1970. */
  readonly connectedAt: number;
}

/**
 * Holds one peer's conversation. It may use the connection until it returns; then the server closes it.
 *
 * When the server ends the conversation, `receive` gives `null`; whatever the handler sends then still arrives.
 */
export type Handler = (conn: FramedConn, info: ConnInfo) => Promise<void> | void;

/** Options for {@linkcode Conversation}. */
export interface ConversationOptions extends FramedConnOptions {
  /** Makes the last message; `undefined` says nothing. The default is a sentence that begins with `Goodbye: `. */
  goodbye?: (reason: GoodbyeReason, detail?: string) => string | undefined;
  /** Told of everything that happens. What it throws is reported as uncaught. */
  onEvent?: (event: ServerEvent) => void;
}

// A TLS peer has so long to shake hands, and any peer so long to take the goodbye and to close its end.
const HANDSHAKE_MS = 10_000;
const PARTING_MS = 2000;

/** A connection of a server. It owns the connection: when `hold` has settled, the connection is closed. */
export class Conversation {
  /** Who is at the other end. */
  readonly info: ConnInfo;
  readonly #tcp: Deno.TcpConn | Deno.TlsConn;
  readonly #conn: FramedConn;
  readonly #options: ConversationOptions;
  #goodbye: GoodbyeReason | undefined;

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
      await this.#shakeHands();
      await handler(this.#conn, conn);
      reason = this.#goodbye ?? (this.#conn.finished ? "finished" : "ended");
    } catch (caught) {
      error = caught;
      reason = this.#goodbye ?? endReasonOf(caught);
    }
    await this.#part(reason, error);
    this.#emit({ type: "disconnected", conn, reason, ...(error !== undefined && { error }) });
  }

  /** Tells the peer why it is not served, and closes. Never rejects. */
  async refuse(reason: GoodbyeReason): Promise<void> {
    this.#emit({ type: "refused", peer: this.info.peer, reason });
    await this.#part(reason);
  }

  /** Ends the conversation: the handler's `receive` gives `null`, and when it has returned the peer is told why. */
  end(reason: GoodbyeReason): void {
    this.#goodbye ??= reason;
    this.#conn.closeRead();
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#conn.abort();
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

  async #shakeHands(): Promise<void> {
    if (!("handshake" in this.#tcp)) return;
    const timer = setTimeout(() => this.abort(), HANDSHAKE_MS);
    try {
      await this.#tcp.handshake();
    } finally {
      clearTimeout(timer);
    }
  }

  async #part(reason: EndReason, error?: unknown): Promise<void> {
    // A peer that has left is not told anything; what the handler sent last is still on its way to it.
    if (reason === "finished" || reason === "lost" || this.#conn.closed) return this.#conn.close();
    const timer = setTimeout(() => this.abort(), PARTING_MS);
    try {
      await this.#sayGoodbye(reason, error);
      await this.#conn.closeWrite();
      // To close while unread bytes wait would reset the connection and destroy the goodbye.
      await this.#conn.discard();
    } catch {
      // The peer is gone in the middle of the goodbye: nobody is left to tell.
    } finally {
      clearTimeout(timer);
      this.#conn.close();
    }
  }

  async #sayGoodbye(reason: EndReason, error: unknown): Promise<void> {
    if (reason === "finished" || reason === "lost" || reason === "ended") return;
    const detail = reason === "torn" || reason === "protocol" ? messageOf(error) : undefined;
    const { goodbye = goodbyeText } = this.#options;
    const text = goodbye(reason === "torn" ? "protocol" : reason, detail);
    if (text !== undefined) await this.#conn.send(text);
  }
}

/** Hands an event to `onEvent`; an exception there must not end the server. */
export function emit(onEvent: ConversationOptions["onEvent"], event: ServerEvent): void {
  try {
    onEvent?.(event);
  } catch (error) {
    reportError(error);
  }
}

function infoOf(tcp: Deno.TcpConn | Deno.TlsConn, id: number): ConnInfo {
  const { hostname, port } = tcp.remoteAddr as Deno.NetAddr;
  const address = normalizeAddress(hostname);
  const host = address.includes(":") ? `[${address}]` : address;
  return { id, peer: `${host}:${port}`, address, connectedAt: Date.now() };
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}
