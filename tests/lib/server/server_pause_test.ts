import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Events } from "../../support/events.ts";
import { connectTo, echo } from "../../support/served.ts";
import { isPending, turns } from "../../support/turns.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryListener } from "../../../lib/conn/memory_conn.ts";
import type { Handler } from "../../../lib/server/conversation.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";

/** A handler that returns only when it is let go, whatever the server wants. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler: Handler = (conn, info) => info.id === 1 ? promise : echo(conn, info);
  return { handler, letGo: resolve };
}

Deno.test("Server.pause() closes the listener and says goodbye; resume() serves on the same port", async () => {
  const events = new Events();
  await using server = serve(echo, { goodbye: goodbyeText, onEvent: events.take });
  const { addr } = server;
  const client = await connectTo(server);
  await client.request("hello");

  const pausing = server.pause();
  assertEquals(await Array.fromAsync(client), [goodbyeText("paused")]);
  client.close();
  await pausing;

  assertEquals([server.paused, server.connections, server.addr], [true, 0, addr]);
  await assertRejects(() => connectTo(server), Deno.errors.ConnectionRefused);

  await server.resume();

  assertEquals([server.paused, server.addr], [false, addr]);
  using back = await connectTo(server);
  assertEquals(await back.request("back"), "back");
  const { conn } = await events.next("connected");
  const { hostname, port } = addr;
  assertEquals(
    events.all.filter(({ type }) => type !== "received" && type !== "sent").slice(0, 5),
    [
      { type: "listening", hostname, port, requestedPort: 0 },
      { type: "connected", conn },
      { type: "paused" },
      { type: "disconnected", conn, reason: "paused" },
      { type: "listening", hostname, port, requestedPort: port },
    ],
  );
});

Deno.test("Server.pause() and resume() again and again lead to the same state", async () => {
  const events = new Events();
  await using server = serve(echo, { onEvent: events.take });

  await server.pause();
  await server.pause();
  await Promise.all([server.resume(), server.resume()]);
  await server.resume();
  using client = await connectTo(server);

  assertEquals(await client.request("hello"), "hello");
  assertEquals(events.types().slice(0, 4), ["listening", "paused", "listening", "connected"]);
});

Deno.test("Server.pause() waits for the handlers, and lets them finish", async () => {
  const events = new Events();
  const { handler, letGo } = held();
  await using server = serve(handler, { goodbye: goodbyeText, onEvent: events.take });
  using client = await connectTo(server);
  await events.next("connected");

  const pausing = server.pause();
  const again = server.pause();
  assertEquals([await isPending(pausing), await isPending(again)], [true, true]);
  letGo();

  assertEquals(await Array.fromAsync(client), [goodbyeText("paused")]);
  client.close();
  await Promise.all([pausing, again]);
});

Deno.test("Server.pause({ signal }) closes what has not ended when it aborts", async () => {
  const events = new Events();
  await using server = serve(async (conn) => {
    await conn.receive();
    // It goes on waiting for bytes that never come.
    await conn.read(new Uint8Array(1));
  }, { onEvent: events.take });
  using client = await connectTo(server);
  await events.next("connected");
  const patience = new AbortController();

  const pausing = server.pause({ signal: patience.signal });
  assertEquals(await isPending(pausing), true);
  patience.abort();

  assertEquals(await Array.fromAsync(client), []);
  await pausing;
});

Deno.test("Server.resume() during a pause serves new clients, and the pause ends with the old ones", async () => {
  const events = new Events();
  const { handler, letGo } = held();
  await using server = serve(handler, { onEvent: events.take });
  using old = await connectTo(server);
  await events.next("connected");

  const pausing = server.pause();
  await server.resume();
  using fresh = await connectTo(server);
  assertEquals(await fresh.request("fresh"), "fresh");
  assertEquals(await isPending(pausing), true);
  letGo();
  await Array.fromAsync(old);
  old.close();
  await pausing;

  assertEquals(server.paused, false);
  assertEquals(await fresh.request("still"), "still");
});

Deno.test("Server.pause({ signal }) does not close those who came after a resume", async () => {
  const { handler, letGo } = held();
  const events = new Events();
  await using server = serve(handler, { onEvent: events.take });
  using old = await connectTo(server);
  await events.next("connected");
  const patience = new AbortController();

  const pausing = server.pause({ signal: patience.signal });
  await server.resume();
  using fresh = await connectTo(server);
  await fresh.request("fresh");
  patience.abort();
  letGo();
  await pausing;

  assertEquals(await Array.fromAsync(old), []);
  assertEquals(await fresh.request("still"), "still");
});

Deno.test("Server.resume() rejects while somebody else has the port, and can be called again", async () => {
  const events = new Events();
  await using server = serve(echo, { onEvent: events.take });
  await server.pause();
  const thief = Deno.listen({ hostname: "127.0.0.1", port: server.addr.port });

  await assertRejects(() => server.resume(), Deno.errors.AddrInUse, `port ${thief.addr.port} is`);
  assertEquals(server.paused, true);
  thief.close();
  await server.resume();

  using client = await connectTo(server);
  assertEquals(await client.request("hello"), "hello");
  assertEquals(events.types().slice(0, 3), ["listening", "paused", "listening"]);
});

Deno.test("Server.shutdown() ends a paused server", async () => {
  const events = new Events();
  const server = serve(echo, { onEvent: events.take });
  await server.pause();

  await server.shutdown();
  await server.finished;
  await assertRejects(() => server.resume(), Deno.errors.BadResource, "stopped");
  await server.pause();

  assertEquals(server.paused, false);
  assertEquals(events.types(), ["listening", "paused", "stopped"]);
  await assertRejects(() => connectTo(server), Deno.errors.ConnectionRefused);
});

Deno.test("Server.shutdown() during a pause ends both", async () => {
  const events = new Events();
  const { handler, letGo } = held();
  const server = serve(handler, { goodbye: goodbyeText, onEvent: events.take });
  const client = await connectTo(server);
  await events.next("connected");

  const pausing = server.pause();
  const stopping = server.shutdown();
  await turns();
  letGo();
  assertEquals(await Array.fromAsync(client), [goodbyeText("shutdown")]);
  client.close();
  await Promise.all([pausing, stopping, server.finished]);

  assertEquals(events.types().at(-1), "stopped");
  assertEquals([events.count("stopped"), events.count("paused")], [1, 0]);
});

Deno.test("Server.shutdown() during a resume leaves nobody listening", async () => {
  const events = new Events();
  const server = serve(echo, { onEvent: events.take });

  const calls = [server.pause(), server.resume(), server.shutdown()];
  const late = server.resume();

  await assertRejects(() => late, Deno.errors.BadResource, "stopped");
  await Promise.all(calls);

  await assertRejects(() => connectTo(server), Deno.errors.ConnectionRefused);
  assertEquals(events.types().at(-1), "stopped");
});

Deno.test("Server.close() during a pause ends both at once", async () => {
  const { handler, letGo } = held();
  const events = new Events();
  const server = serve(handler, { onEvent: events.take });
  using client = await connectTo(server);
  await events.next("connected");

  const pausing = server.pause();
  server.close();
  letGo();
  await Promise.all([pausing, server.finished]);

  assertEquals(await Array.fromAsync(client), []);
});

for (const last of ["pause", "resume"] as const) {
  Deno.test(`Server.${last}() has the last word when all was called in one breath`, async () => {
    const events = new Events();
    await using server = serve(echo, { onEvent: events.take });

    const calls = ["pause", "resume", "pause", ...(last === "resume" ? [last] : [])] as const;
    await Promise.all(calls.map((call) => server[call]()));

    assertEquals(server.paused, last === "pause");
    const resumed = last === "resume" ? ["listening"] : [];
    assertEquals(events.types(), ["listening", "paused", ...resumed]);
    if (last === "pause") return;
    using client = await connectTo(server);
    assertEquals(await client.request("hello"), "hello");
  });
}

Deno.test("Server.pause() ends conversations at once, also where an accept stays pending", async () => {
  using time = new FakeTime();
  const { listener, connect } = memoryListener();
  const { addr } = listener;
  const never = new Promise<never>(() => {});
  let accepts = 0;
  const accept = () => accepts++ === 0 ? listener.accept() : never;
  const events: string[] = [];
  await using server = serve(echo, {
    listener: { addr, accept, close: () => {} },
    goodbye: goodbyeText,
    onEvent: ({ type }) => events.push(type),
  });
  using client = new FramedConn(await connect());
  await client.request("hello");

  const pausing = server.pause();

  assertEquals(await Array.fromAsync(client), [goodbyeText("paused")]);
  client.close();
  await time.tickAsync(1000);
  await pausing;
  assertEquals(events.slice(-2), ["disconnected", "paused"]);
});
