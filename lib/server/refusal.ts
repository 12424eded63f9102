/**
 * Refusing a peer: it is told why, and costs less than one that is served.
 *
 * @module
 */
import { timerDelay } from "../base/limits.ts";
import { within } from "../base/within.ts";
import type { Transport } from "../conn/conn_options.ts";
import { writeAll } from "../conn/conn_streams.ts";
import { encodeFrame, type FrameOptions } from "../frame/frame.ts";
import { FIRST_BYTES, type HttpProtocol, isHttp } from "./http_protocol.ts";

// What refused peers send is dropped, all of it in here.
const DROPPED = new Uint8Array(16 * 1024);
// A peer that is silent for so long speaks frames, and waits for the message.
const SILENCE_MS = 200;

/** What a refused peer is told, and how long that may take. */
export interface Refusal {
  /** The last message; `undefined` sends none. */
  readonly text: string | undefined;
  /** When the connection is closed at the latest, in milliseconds; 0 sets no limit. */
  readonly timeoutMs: number;
  /** What is said to a peer that speaks HTTP. */
  readonly http?: HttpProtocol | undefined;
}

/**
 * Sends the last message, if there is one, and closes. Never rejects.
 *
 * Closing while unread bytes wait would reset the connection and destroy the message, so it reads to the end.
 */
export async function refuse(
  conn: Transport & Disposable,
  { text, timeoutMs, http }: Refusal,
  options: FrameOptions = {},
): Promise<void> {
  const close = () => conn[Symbol.dispose]();
  const timer = timeoutMs > 0 ? setTimeout(close, timerDelay(timeoutMs)) : undefined;
  try {
    const first = new Uint8Array(FIRST_BYTES);
    const reading = conn.read(first);
    reading.catch(() => {/* Reported where it is awaited. */});
    if (http && await within(SILENCE_MS, reading) && isHttp(first)) {
      await writeAll(conn, http.refusal);
    } else if (text !== undefined) {
      await writeAll(conn, encodeFrame(text, options));
    }
    await conn.closeWrite();
    for (let bytes = await reading; bytes !== null;) bytes = await conn.read(DROPPED);
  } catch {
    // The peer is gone, or took too long.
  }
  clearTimeout(timer);
  close();
}
