/**
 * Exercises 1.1 and 1.2: the line comes back, until the client leaves.
 *
 * @module
 */
import type { FramedConn } from "../lib/framed_conn.ts";
import { texts } from "./texts.ts";

/** Sends every text back, in order, until the peer has finished. */
export async function echo(conn: FramedConn): Promise<void> {
  for await (const text of texts(conn)) await conn.send(text);
}

/** Sends every byte back, frames or not (RFC 862): for `nc` and other clients without frames. */
export async function echoBytes(conn: FramedConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  for (;;) {
    const bytes = await conn.read(buffer);
    if (bytes === null) return;
    await conn.write(buffer.subarray(0, bytes));
  }
}
