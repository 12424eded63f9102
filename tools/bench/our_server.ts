/**
 * The server under test: the echo of the exercises, in one thread or in one a client, or a broadcast through `Room` and
 * `Outbox`.
 *
 * It prints its port; each line of input is answered with the memory it holds; the end of input ends it.
 *
 * @module
 */
import { encodeFrame } from "../../lib/frame/frame.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import { Outbox } from "../../lib/chat/outbox.ts";
import { Room } from "../../lib/chat/room.ts";
import { serve } from "../../lib/server/server.ts";
import { echo } from "../../servers/echo.ts";
import { Threads } from "../../servers/threads/threads.ts";
import { answerLines } from "../shared/program.ts";

const room = new Room<Uint8Array>();

/** Sends every text of anybody to everybody; the first comes back to the sender alone, who is a member then. */
async function fan(conn: FramedConn, { id }: ConnInfo): Promise<void> {
  const outbox = new Outbox(conn, { onOverflow: () => conn.abort() });
  const deliver = (frame: Uint8Array) => outbox.deliver(frame);
  using _seat = room.join({ name: `member ${id}`, key: `${id}`, deliver });
  await conn.send(await conn.receive() ?? "");
  for await (const text of conn) room.broadcast(encodeFrame(text));
}

const [mode] = Deno.args;
const module = import.meta.resolve("../../servers/echo.ts");
await using threads = new Threads({ handler: { module, name: "echo" } });
const handler = mode === "fan" ? fan : mode === "threads" ? threads.handler : echo;
const server = serve(handler, { port: 0, maxConnections: 0 });
console.log(server.addr.port);
await answerLines(() => ({ rssBytes: Deno.memoryUsage().rss }));
server.close();
