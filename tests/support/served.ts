/**
 * What most tests of a server need: a handler, a client, and what a handler is told of one.
 *
 * @module
 */
import type { Handler } from "../../lib/server/conversation.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { Server } from "../../lib/server/server.ts";
import type { HandlerInfo } from "../../lib/server/server_events.ts";

/** Sends every text back. */
export const echo: Handler = async (conn) => {
  for await (const text of conn) await conn.send(text);
};

/** Connects to a server. */
export function connectTo(server: Server): Promise<FramedConn> {
  return FramedConn.connect({ port: server.addr.port });
}

/** What the handler of connection `id` of an address is told. */
export function infoOf(id: number, address: string): HandlerInfo {
  const { signal } = new AbortController();
  return { id, peer: `${address}:${id}`, address, connectedAt: 0, protocol: "frames", signal };
}
