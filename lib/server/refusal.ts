/**
 * Refusing a peer: it is told why, and costs less than one that is served.
 *
 * @module
 */
import { timerDelay } from "../base/numbers.ts";
import { within } from "../base/within.ts";
import type { Transport } from "../conn/conn_options.ts";
import { closeQuietly, writeAll } from "../conn/conn_streams.ts";
import { encodeFrame } from "../frame/frame.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import type { Ending } from "./finish.ts";
import { FIRST_BYTES, isHttp, SILENCE_MS } from "./http_protocol.ts";
import type { HttpOption, ServeOptions } from "./serve_options.ts";

// So many refused peers at once are told why; the others are just closed, so that refusing costs little.
const MAX_REFUSING = 64;
// What refused peers send is dropped, all of it in here.
const DROPPED = new Uint8Array(16 * 1024);

const NO_ROOM = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n" +
  "retry-after: 5\r\nconnection: close\r\n\r\nThere is no room on this server now, try again later\n";

/** The peers that are being refused. */
export class Refusals {
  /** Each of them. */
  readonly pending: Set<Ending> = new Set();
  readonly #options: ServeOptions & HttpOption;

  /** Begins without any. */
  constructor(options: ServeOptions & HttpOption) {
    this.#options = options;
  }

  /** Tells a peer why, and closes the connection, which it owns. */
  refuse(conn: Transport, reason: GoodbyeReason): void {
    const abort = closerOf(conn);
    if (this.pending.size >= MAX_REFUSING) return abort();
    const { closeTimeoutMs = 2000 } = this.#options;
    const timer = closeTimeoutMs > 0 ? setTimeout(abort, timerDelay(closeTimeoutMs)) : undefined;
    const over = this.#tell(conn, reason).then(() => {
      clearTimeout(timer);
      abort();
      this.pending.delete(refusal);
    });
    const refusal = { over, abort };
    this.pending.add(refusal);
  }

  /** Closing while unread bytes wait would reset the connection and destroy the message, so this reads to the end. */
  async #tell(conn: Transport, reason: GoodbyeReason): Promise<void> {
    const { http, goodbye } = this.#options;
    const text = goodbye?.(reason);
    try {
      const first = new Uint8Array(FIRST_BYTES);
      const reading = conn.read(first);
      reading.catch(() => {/* Reported where it is awaited. */});
      if (http && await within(SILENCE_MS, reading) && isHttp(first)) {
        await writeAll(conn, new TextEncoder().encode(NO_ROOM));
      } else if (text !== undefined) {
        await writeAll(conn, encodeFrame(text, this.#options));
      }
      await conn.closeWrite();
      for (let bytes = await reading; bytes !== null;) bytes = await conn.read(DROPPED);
    } catch {
      // The peer is gone, or took too long.
    }
  }
}

/** A function that closes a connection once. */
function closerOf(conn: Transport): () => void {
  let isOpen = true;
  return () => {
    if (isOpen) closeQuietly(conn);
    isOpen = false;
  };
}
