/**
 * HTTP on the port of a server. What speaks it is in `lib/web`, so that servers without it do not load it.
 *
 * @module
 */
import { type ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import type { FramedConn } from "../conn/framed_conn.ts";
import type { MessageConn } from "../conn/message_conn.ts";
import { FrameTooLargeError } from "../frame/frame.ts";
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

// Chromium closes a connection that it has opened in advance and not used for so long.
const SPARE_MS = 10_000;
// It opens them before the request for a page, and while it retries that.
const OPENING_MS = 2000;
const MAX_BROWSERS = 1000;

/**
 * Addresses that a browser has lately sent a request from. A browser opens connections in advance, and takes what comes
 * on one of them for the response to its next request: a handler that speaks first has to wait for that.
 */
export class RecentBrowsers {
  /** When each has sent its last request; the latest is at the end. */
  readonly #requestedAt = new Map<string, number>();

  /** Notes that a browser at this address has sent a request. */
  note(address: string): void {
    this.#requestedAt.delete(address);
    this.#requestedAt.set(address, performance.now());
    if (this.#requestedAt.size <= MAX_BROWSERS) return;
    for (const [first] of this.#requestedAt.entries().take(1)) this.#requestedAt.delete(first);
  }

  /** For how much longer a silent connection may be one that a browser has opened in advance, in milliseconds. */
  remainingMs({ address, connectedAt }: ConnInfo): number {
    const at = this.#requestedAt.get(address) ?? -Infinity;
    const isLater = connectedAt - performance.timeOrigin > at + OPENING_MS;
    return isLater ? 0 : Math.max(0, at + SPARE_MS - performance.now());
  }
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
  /** Addresses from which a peer may be silent for longer. */
  readonly browsers?: RecentBrowsers;
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
    protocol = await spoken(conn, hasPlace ? http : { silenceMs: SILENCE_MS }, info);
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
  { silenceMs = 0, endsSilent = false, browsers }: Silence,
  info: ConnInfo,
): Promise<Protocol> {
  const silence = silenceMs > 0 ? new AbortController() : undefined;
  const onSilence = () => {
    const moreMs = browsers?.remainingMs(info) ?? 0;
    if (moreMs > 0) timer = setTimeout(onSilence, moreMs);
    else silence?.abort();
  };
  let timer = silence && setTimeout(onSilence, silenceMs);
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

/** Gives back what a peer holds whose conversation has ended. A browser that sent its request too late is remembered. */
export function release(http: HttpProtocol | undefined, info: ConnInfo, error: unknown): void {
  http?.release?.(info);
  if (!(error instanceof FrameTooLargeError)) return;
  const header = new Uint8Array(FIRST_BYTES);
  new DataView(header.buffer).setUint32(0, error.bodyBytes);
  if (isHttp(header)) http?.browsers?.note(info.address);
}
