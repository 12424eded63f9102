import { assertEquals } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import type { ServerEvent } from "../../lib/server/server_events.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import { parseServerLine } from "../../servers/control/config.ts";
import { echo, openEcho } from "../../servers/echo.ts";

function connect(server: Server): Promise<FramedConn> {
  return FramedConn.connect({ port: server.addr.port });
}

Deno.test("echo() sends every text back in order until the peer has finished", async () => {
  await using server = serve(echo);
  using conn = await connect(server);

  for (const text of ["a", "", "Привет", "exit"]) conn.send(text);
  await conn.closeWrite();

  assertEquals(await Array.fromAsync(conn), ["a", "", "Привет", "exit"]);
});

Deno.test("echo() answers what is not a text with the reason, and goes on", async () => {
  await using server = serve(echo);
  using conn = await connect(server);

  await conn.sendBytes(new Uint8Array([0xff]));
  const reason = await conn.receive();

  assertEquals(reason?.endsWith(". Send text in UTF-8"), true);
  assertEquals(await conn.request("a"), "a");
});

/** Serves bytes as the program does with `--raw`. */
function serveRaw(onEvent: (event: ServerEvent) => void = () => {}): Server {
  const line = parseServerLine(["echo", "--raw"]);
  if ("help" in line) throw new Error("Cannot open the server: help was asked for");
  const { rawHandler, options } = openEcho(line.config, {} as LogFile, onEvent);
  return serve(rawHandler!, { ...options, onEvent });
}

Deno.test("openEcho() with --raw sends bytes back, frames or not, and tells their number", async () => {
  const events: ServerEvent[] = [];
  const server = serveRaw((event) => events.push(event));
  using conn = await Deno.connect({ port: server.addr.port });

  await conn.write(new TextEncoder().encode("hello"));
  const buffer = new Uint8Array(9);
  const bytes = await conn.read(buffer);
  conn.closeWrite();
  const end = await conn.read(buffer);
  await server.shutdown();

  assertEquals([bytes, end], [5, null]);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 5)), "hello");
  assertEquals(
    events.map((event) => "bytes" in event ? `${event.type} ${event.bytes}` : event.type),
    ["listening", "connected", "received 5", "sent 5", "disconnected", "stopped"],
  );
});
