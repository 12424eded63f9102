/**
 * What a server reports while it works: one union for the log, the console and tests.
 *
 * @module
 */
import { normalizeAddress } from "../base/address.ts";
import { joinHostPort } from "../base/endpoint.ts";
import type { EndReason, GoodbyeReason } from "./end_reason.ts";

/** The peer of a connection. */
export interface ConnInfo {
  /** Counts the connections of a server, from 1. */
  readonly id: number;
  /** The peer's address and port, as `127.0.0.1:50312` or `[::1]:50312`. */
  readonly peer: string;
  /** The peer's address alone; an IPv4 address that came in over IPv6 is shown as IPv4. */
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
}

/** One event of a server's life. Sizes are those of bodies, in bytes; message texts are never part of an event. */
export type ServerEvent =
  | { type: "listening"; hostname: string; port: number; requestedPort: number }
  | { type: "connected"; conn: ConnInfo }
  | { type: "received" | "sent"; conn: ConnInfo; bytes: number }
  | { type: "disconnected"; conn: ConnInfo; reason: EndReason; error?: unknown }
  | { type: "requested"; conn: ConnInfo; requests: number }
  | { type: "refused"; peer: string; reason: GoodbyeReason }
  | { type: "accept_failed"; error: unknown }
  | { type: "paused" | "stopped" };

/** Describes the peer of a connection just accepted. */
export function connInfoOf(conn: Deno.Conn, id: number): ConnInfo {
  const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
  const address = normalizeAddress(hostname);
  const connectedAt = Math.round(performance.timeOrigin + performance.now());
  return { id, peer: joinHostPort(address, port), address, connectedAt, protocol: "frames" };
}
