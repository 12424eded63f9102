/**
 * HTTP on the port of a server. What speaks it is in `lib/web`, so that servers without it do not load it.
 *
 * @module
 */
import { type ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import type { FramedConn } from "../conn/framed_conn.ts";
import type { MessageConn } from "../conn/message_conn.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import type { ConnInfo } from "./server_events.ts";

/** How many bytes distinguish HTTP from frames. */
export const FIRST_BYTES = 4;

/** A peer that is silent for so long, in milliseconds, waits for the first message. */
export const SILENCE_MS = 200;

// As the length of a body, these letters are over a gigabyte.
const METHOD = /^[A-Z]{3}[A-Z ]$/;

/** Whether a connection begins with the method of an HTTP request. */
export function isHttp(first: Uint8Array): boolean {
  return METHOD.test(String.fromCharCode(...first.subarray(0, FIRST_BYTES)));
}

/** How long a peer may be silent at first. */
export interface Silence {
  /**
   * After this time of silence, in milliseconds, a peer is taken for one that speaks frames: for a handler that speaks
   * first. 0 waits for the first bytes.
   *
   * @default {0}
   */
  readonly silenceMs?: number;
  /** Whether a silent peer is ended as `idle` instead. */
  readonly endsSilent?: boolean;
  /**
   * Takes a place for a peer that may be silent, for the handler; where there is none, it may be so for 200 ms. `giveWay`
   * ends the peer's conversation: for another one that needs the place.
   */
  hold?(conn: ConnInfo, giveWay: () => void): boolean;
  /** Gives back the place of a peer that has not come to the handler, if it has one. */
  release?(conn: ConnInfo): void;
}

/** Speaks HTTP where a peer does. */
export interface HttpProtocol extends Silence {
  /** Takes over a connection of which nothing was received yet. */
  open(conn: FramedConn, options: FramedConnOptions): HttpConversation;
  /** Settles when `open` may be called: once its modules are loaded, for example. */
  readonly ready?: Promise<unknown>;
}

/** A connection that carries messages, in frames or over a WebSocket. */
export interface Carrier extends ByteConn, MessageConn {
  /** Takes the reason for which it will be closed, where it is sent to the peer as a code. */
  closeFor?(reason: GoodbyeReason): void;
}

/** A connection that carries HTTP. */
export interface HttpConversation extends ByteConn {
  /** How many requests were answered. */
  readonly requests: number;
  /** Answers requests until the connection is over, or gives the WebSocket that one of them has opened. */
  negotiate(): Promise<Carrier | undefined>;
}

/** What a peer speaks. What it has sent stays to be received. */
export async function protocolOf(
  conn: FramedConn,
  http: HttpProtocol,
  info: ConnInfo,
  giveWay: () => void,
): Promise<Protocol> {
  const hasPlace = http.hold?.(info, giveWay) ?? true;
  let protocol: Protocol = "nothing";
  try {
    protocol = await spoken(conn, hasPlace ? http : { silenceMs: SILENCE_MS });
    if (protocol === "http") await http.ready;
    return protocol;
  } finally {
    if (protocol !== "frames") http.release?.(info);
  }
}

/** What a peer speaks, once that is known: `nothing` where it was silent. */
export type Protocol = "http" | "frames" | "nothing";

async function spoken(
  conn: FramedConn,
  { silenceMs = 0, endsSilent = false }: Silence,
): Promise<Protocol> {
  const silence = silenceMs > 0 ? new AbortController() : undefined;
  const timer = silence && setTimeout(() => silence.abort(), silenceMs);
  try {
    const first = await internalsOf(conn).peek(FIRST_BYTES, { signal: silence?.signal });
    return isHttp(first) ? "http" : "frames";
  } catch (error) {
    if (!silence?.signal.aborted) throw error;
    return endsSilent ? "nothing" : "frames";
  } finally {
    clearTimeout(timer);
  }
}
