/**
 * What a server reports while it works: one union for the log, the console and tests.
 *
 * @module
 */
import { normalizeAddress } from "../base/address.ts";
import { joinHostPort } from "../base/endpoint.ts";
import type { EndReason, GoodbyeReason } from "./end_reason.ts";
import type { EndSignal } from "./end_signal.ts";

/** The certificate of a client, signed by an authority that the option `ca` of the server names. */
export interface ClientCertificate {
  /** The common name (CN) of its subject, if there is one and no more. */
  readonly commonName: string | undefined;
  /** Its SHA-256 as `openssl x509 -fingerprint -sha256` prints it: `B5:85:6D:…`. */
  readonly fingerprint: string;
  /** All of it, in DER: `new X509Certificate(raw)` of `node:crypto` reads its other names, for example. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** The peer of a connection. */
export interface ConnInfo {
  /** Counts the connections of a server, from 1. */
  readonly id: number;
  /** The peer's address and port, as `127.0.0.1:50312` or `[::1]:50312`; over a Unix socket `unix:` and the `id`. */
  readonly peer: string;
  /** The peer's address alone; an IPv4 address that came in over IPv6 is shown as IPv4. Over a Unix socket `unix`. */
  readonly address: string;
  /**
   * When it connected, in milliseconds since 1970, as `performance.timeOrigin + performance.now()` gives it: its
   * distance from now is right even if the clock was set in between.
   */
  readonly connectedAt: number;
  /**
   * How it speaks: messages in `frames` or over a `websocket`. A connection of which only HTTP requests came is none of
   * the server's `peers`.
   */
  readonly protocol: "frames" | "websocket" | "http";
  /** What the client has shown in the TLS handshake, where the server has the option `ca`: it is set for every handler. */
  readonly certificate?: ClientCertificate | undefined;
}

/** What a handler knows about its conversation. */
export interface HandlerInfo extends ConnInfo {
  /**
   * Aborts when the conversation ends, also while the handler receives nothing: the server pauses, stops or closes, the
   * peer is kicked, has finished, sent what cannot be read on, or is gone; at the latest when the handler has returned. Its reason is a
   * {@linkcode ConversationEndedError}, which says which of these.
   *
   * Pass it to what the handler waits for: a database, a queue, `fetch`. From its first use on, the connection is read
   * ahead, until 64 KiB or more wait for a `receive`: the loss of a peer that has sent more is noticed later. A peer
   * that half-closes and waits for answers counts as `finished`: TCP cannot distinguish it from one that is gone.
   */
  readonly signal: AbortSignal;
}

/**
 * One event of a server's life. Sizes are those of bodies, in bytes; message texts are never part of an event. Where a
 * server listens on a Unix socket, `hostname` is its path and `port` is 0.
 */
export type ServerEvent =
  | { type: "listening"; hostname: string; port: number; requestedPort: number }
  | { type: "connected"; conn: ConnInfo }
  | { type: "received" | "sent"; conn: ConnInfo; bytes: number }
  | { type: "disconnected"; conn: ConnInfo; reason: EndReason; error?: unknown }
  | { type: "requested"; conn: ConnInfo; requests: number }
  | { type: "refused"; peer: string; reason: GoodbyeReason }
  | { type: "accept_failed"; error: unknown }
  | { type: "paused" | "stopped" };

/** Says where a server listens. */
export function listeningOn(addr: Deno.Addr, requestedPort?: number): ServerEvent {
  const { hostname, port } = "hostname" in addr
    ? addr
    : { hostname: "path" in addr ? addr.path : addr.transport, port: 0 };
  return { type: "listening", hostname, port, requestedPort: requestedPort ?? port };
}

/** Describes the peer of a connection just accepted. */
export function connInfoOf({ remoteAddr }: Pick<Deno.Conn, "remoteAddr">, id: number): ConnInfo {
  const isOnNetwork = "hostname" in remoteAddr;
  const address = isOnNetwork ? normalizeAddress(remoteAddr.hostname) : remoteAddr.transport;
  const port = isOnNetwork ? remoteAddr.port : id;
  const connectedAt = Math.round(performance.timeOrigin + performance.now());
  return { id, peer: joinHostPort(address, port), address, connectedAt, protocol: "frames" };
}

/** What the handler of a conversation knows: its peer, and the signal that is made when it is asked for. */
export class PeerInfo implements HandlerInfo {
  /** See {@linkcode ConnInfo}. */
  readonly id: number;
  /** See {@linkcode ConnInfo}. */
  readonly peer: string;
  /** See {@linkcode ConnInfo}. */
  readonly address: string;
  /** See {@linkcode ConnInfo}. */
  readonly connectedAt: number;
  /** See {@linkcode ConnInfo}. It is known before anything is reported of the peer. */
  protocol: ConnInfo["protocol"];
  /** See {@linkcode ConnInfo}. */
  certificate: ClientCertificate | undefined;
  readonly #signal: EndSignal;

  /** Describes the peer of a conversation. */
  constructor(info: ConnInfo, signal: EndSignal) {
    this.id = info.id;
    this.peer = info.peer;
    this.address = info.address;
    this.connectedAt = info.connectedAt;
    this.protocol = info.protocol;
    this.#signal = signal;
  }

  /** See {@linkcode HandlerInfo}. */
  get signal(): AbortSignal {
    return this.#signal.signal;
  }
}
