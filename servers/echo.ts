/**
 * Exercises 1.1 and 1.2: the line comes back, until the client leaves.
 *
 * @module
 */
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import type { Handler } from "../lib/server/conversation.ts";
import type { ServerEvent } from "../lib/server/server_events.ts";
import type { ServerConfig } from "./control/config.ts";
import type { Service } from "./service.ts";

/** What a dialogue of texts needs of a connection. */
export type TextConn = Pick<MessageConn, "receive" | "send">;

/** Sends every text back, in order, until the peer has finished. */
export async function echo(conn: TextConn): Promise<void> {
  for await (const text of texts(conn)) await conn.send(text);
}

/** Receives text after text until the peer has finished. A message that is not UTF-8 is answered with the reason. */
export async function* texts(conn: TextConn): AsyncGenerator<string, void, void> {
  for (;;) {
    try {
      const text = await conn.receive();
      if (text === null) return;
      yield text;
    } catch (error) {
      if (!(error instanceof Deno.errors.InvalidData)) throw error;
      await conn.send(`${error.message}. Send text in UTF-8`);
    }
  }
}

/** Opens the echo server; with `--raw` it sends every byte back, frames or not (RFC 862), for `nc`. */
export function openEcho(
  { raw }: ServerConfig,
  _log: LogFile,
  onEvent: (event: ServerEvent) => void,
): Service {
  if (!raw) return { handler: echo };
  const rawHandler: Handler = async (conn, info) => {
    const buffer = new Uint8Array(16 * 1024);
    for (let bytes; (bytes = await conn.read(buffer)) !== null;) {
      onEvent({ type: "received", conn: info, bytes });
      await conn.write(buffer.subarray(0, bytes));
      onEvent({ type: "sent", conn: info, bytes });
    }
  };
  // Where the bytes are no frames, a goodbye in a frame would be noise.
  return { handler: echo, rawHandler, options: { goodbye: () => undefined } };
}
