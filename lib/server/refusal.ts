/**
 * Refusing a peer: it is told why, and costs less than one that is served.
 *
 * @module
 */
import { timerDelay } from "../base/limits.ts";
import type { Transport } from "../conn/conn_options.ts";
import { writeAll } from "../conn/conn_streams.ts";
import { encodeFrame, type FrameOptions } from "../frame/frame.ts";

// What refused peers send is dropped, all of it in here.
const DROPPED = new Uint8Array(16 * 1024);

/**
 * Sends the last message, if there is one, and closes, at the latest after `timeoutMs`. Never rejects.
 *
 * Closing while unread bytes wait would reset the connection and destroy the message, so it reads to the end.
 */
export async function refuse(
  conn: Transport & Disposable,
  text: string | undefined,
  timeoutMs: number,
  options: FrameOptions = {},
): Promise<void> {
  const timer = timeoutMs > 0
    ? setTimeout(() => conn[Symbol.dispose](), timerDelay(timeoutMs))
    : undefined;
  try {
    if (text !== undefined) await writeAll(conn, encodeFrame(text, options));
    await conn.closeWrite();
    while (await conn.read(DROPPED) !== null);
  } catch {
    // The peer is gone, or took too long.
  }
  clearTimeout(timer);
  conn[Symbol.dispose]();
}
