/**
 * What most tests of a server need: a handler, and a client.
 *
 * @module
 */
import type { Handler } from "../../lib/server/conversation.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { Server } from "../../lib/server/server.ts";

/** Sends every text back. */
export const echo: Handler = async (conn) => {
  for await (const text of conn) await conn.send(text);
};

/** Connects to a server. */
export function connectTo(server: Server): Promise<FramedConn> {
  return FramedConn.connect({ port: server.addr.port });
}
