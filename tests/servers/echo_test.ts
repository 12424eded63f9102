import { assertEquals } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import type { ServerEvent } from "../../lib/server/server_events.ts";
import { echo, echoBytes } from "../../servers/echo.ts";

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

Deno.test("echo() answers what is no text with the reason, and goes on", async () => {
  await using server = serve(echo);
  using conn = await connect(server);

  await conn.sendBytes(new Uint8Array([0xff]));
  const reason = await conn.receive();

  assertEquals(reason?.endsWith(". Send text in UTF-8"), true);
  assertEquals(await conn.request("a"), "a");
});

Deno.test("echoBytes() sends bytes back, frames or not, and tells their number", async () => {
  const events: ServerEvent[] = [];
  const server = serve(echoBytes((e) => events.push(e)), {
    goodbye: () => undefined,
    onEvent: (e) => events.push(e),
  });
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

Deno.test("echoBytes() ends at once when the server shuts down", async () => {
  const server = serve(echoBytes(), { goodbye: () => undefined });
  using conn = await Deno.connect({ port: server.addr.port });
  await conn.write(new Uint8Array(1));
  await conn.read(new Uint8Array(1));

  const stopped = server.shutdown();
  const end = await conn.read(new Uint8Array(1));
  conn.closeWrite();
  await stopped;

  assertEquals(end, null);
});
