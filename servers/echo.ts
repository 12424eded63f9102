/**
 * Exercises 1.1 and 1.2: the line comes back, until the client leaves.
 *
 * @module
 */
import type { FramedConn } from "../lib/conn/framed_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import type { ServerEvent } from "../lib/server/server_events.ts";
import { texts } from "./texts.ts";

/** Sends every text back, in order, until the peer has finished. */
export async function echo(conn: FramedConn): Promise<void> {
  for await (const text of texts(conn)) await conn.send(text);
}

/** Makes a handler that sends every byte back, frames or not (RFC 862): for `nc` and other clients without frames. */
export function echoBytes(onEvent?: (event: ServerEvent) => void): Handler {
  return async (conn, info) => {
    const buffer = new Uint8Array(16 * 1024);
    for (;;) {
      const bytes = await conn.read(buffer);
      if (bytes === null) return;
      onEvent?.({ type: "received", conn: info, bytes });
      await conn.write(buffer.subarray(0, bytes));
      onEvent?.({ type: "sent", conn: info, bytes });
    }
  };
}
