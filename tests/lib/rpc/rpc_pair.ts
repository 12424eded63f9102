/**
 * A client of requests, and what is at the other end.
 *
 * @module
 */
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { RequestClient, type RequestClientOptions } from "../../../lib/rpc/request_client.ts";

/** Takes texts, and nothing else. */
export function parseText(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("it is not a text");
  return value;
}

/** The two ends of a connection in memory. */
export function conns(): [FramedConn, FramedConn] {
  const [near, far] = memoryConnPair();
  return [new FramedConn(near), new FramedConn(far)];
}

/** A client of texts, and the connection of a peer that the test plays. */
export function clientAndPeer(
  options: Partial<RequestClientOptions<string>> = {},
): [RequestClient<string, string>, FramedConn] {
  const [near, far] = conns();
  return [new RequestClient(near, { validate: parseText, ...options }), far];
}

/** What the peer has received, as a value. */
export async function receiveJson(conn: FramedConn): Promise<unknown> {
  return JSON.parse(await conn.receive() ?? "null");
}

/** Sends a value as JSON. */
export function sendJson(conn: FramedConn, value: unknown): Promise<void> {
  return conn.send(JSON.stringify(value));
}
