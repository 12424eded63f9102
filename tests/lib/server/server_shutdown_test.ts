import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { Events } from "../../support/events.ts";
import { tcpPair } from "../../support/loopback.ts";
import { connectTo, echo } from "../../support/served.ts";
import { isPending, turns } from "../../support/turns.ts";
import type { Handler } from "../../../lib/server/conversation.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve, type Server } from "../../../lib/server/server.ts";

/** Starts a server and connects to it; settles when the handler runs. */
async function connected(handler: Handler) {
  const events = new Events();
  const running = Promise.withResolvers<void>();
  const server = serve((conn, info) => {
    running.resolve();
    return handler(conn, info);
  }, { goodbye: goodbyeText, onEvent: events.take });
  const client = await connectTo(server);
  await running.promise;
  return { server, client, events };
}

Deno.test("Server.shutdown() delivers what handlers still send, and then the goodbye", async () => {
  const { server, client, events } = await connected(async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("the last answer");
    await turns();
    await conn.send("and another");
  });

  const stopping = server.shutdown();
  const messages = await Array.fromAsync(client);
  client.close();
  await stopping;

  assertEquals(messages, ["the last answer", "and another", goodbyeText("shutdown")]);
  assertEquals((await events.next("disconnected")).reason, "shutdown");
});

Deno.test("Server.shutdown() accepts nobody and waits for the last handler; so does `finished`", async () => {
  const gate = Promise.withResolvers<void>();
  const { server, client, events } = await connected(() => gate.promise);

  const stopping = server.shutdown();
  assertEquals([await isPending(stopping), await isPending(server.finished)], [true, true]);
  await assertRejects(() => connectTo(server), Deno.errors.ConnectionRefused);
  assertEquals(server.paused, false);
  client.close();
  assertEquals(events.count("stopped"), 0);
  gate.resolve();
  await Promise.all([stopping, server.finished]);

  assertEquals([server.connections, server.peers()], [0, []]);
  assertEquals(events.types().slice(-2), ["disconnected", "stopped"]);
});

Deno.test("Server.shutdown() waits for those who are just being refused", async () => {
  const events = new Events();
  const server = serve(echo, { goodbye: goodbyeText, maxConnections: 1, onEvent: events.take });
  const first = await connectTo(server);
  await events.next("connected");
  const second = await connectTo(server);
  await events.next("refused");

  const stopping = server.shutdown();
  await Array.fromAsync(first);
  first.close();
  await events.next("disconnected");
  assertEquals(await isPending(stopping), true);
  assertEquals(await Array.fromAsync(second), [goodbyeText("full")]);
  second.close();

  await stopping;
});

Deno.test("Server.shutdown() ends a handler whose peer takes nothing, after sendTimeoutMs", async () => {
  const events = new Events();
  const server = serve(async (conn) => {
    for (;;) await conn.send("x".repeat(1_000_000));
  }, { sendTimeoutMs: 200, onEvent: events.take });
  using _client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await events.next("sent");

  await server.shutdown();

  const { reason, error } = await events.next("disconnected");
  assertEquals(reason, "shutdown");
  assertInstanceOf(error, Deno.errors.TimedOut);
});

Deno.test("Server.shutdown() and pause() refuse a limit that is none, and do nothing then", async () => {
  await using server = serve(echo);

  for (const timeoutMs of [-1, NaN, "5" as never]) {
    await assertRejects(() => server.shutdown({ timeoutMs }), RangeError, "timeoutMs is");
    await assertRejects(() => server.pause({ timeoutMs }), RangeError, "timeoutMs is");
  }

  using client = await connectTo(server);
  assertEquals(await client.request("still here"), "still here");
});

Deno.test("Server.shutdown({ signal }) closes what has not ended when it aborts", async () => {
  const { server, client, events } = await connected(async (conn) => {
    await conn.receive();
    // More than a peer takes that does not read: it waits for ever.
    for (;;) await conn.send("x".repeat(1_000_000));
  });
  const patience = new AbortController();

  const stopping = server.shutdown({ signal: patience.signal });
  await events.next("sent");
  assertEquals(await isPending(stopping), true);
  patience.abort();
  await stopping;

  assertEquals((await events.next("disconnected")).reason, "shutdown");
  client.close();
});

Deno.test("Server.shutdown({ signal }) leaves a handler behind that never returns", async () => {
  using time = new FakeTime();
  const { server, client } = await connected(() => new Promise(() => {}));
  const patience = new AbortController();

  const stopping = server.shutdown({ signal: patience.signal });
  patience.abort();
  assertEquals(await isPending(stopping), true);
  time.tick(1000);
  await Promise.all([stopping, server.finished]);

  client.close();
});

Deno.test("Server.shutdown() keeps no listener on a signal that outlives it", async () => {
  let listening = 0;
  const { signal } = new AbortController();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listening++, add(...args));
  signal.removeEventListener = (
    ...args: Parameters<typeof remove>
  ) => (listening--, remove(...args));
  const server = serve(echo, { signal });

  await server.shutdown({ signal });

  assertEquals(listening, 0);
});

Deno.test("Server.shutdown() and close() in any order tell `stopped` once", async () => {
  const { server, client, events } = await connected(echo);

  const calls = [server.shutdown(), server.shutdown()];
  server.close();
  server.close();
  await Promise.all([...calls, server.finished]);
  await server.shutdown();
  server.close();
  await turns();

  client.close();
  assertEquals(events.count("stopped"), 1);
  assertEquals(events.count("disconnected"), 1);
});

const ENDS: Record<string, (server: Server) => unknown> = {
  "close()": (server) => server.close(),
  "shutdown({ signal }) with an aborted signal": (server) =>
    server.shutdown({ signal: AbortSignal.abort() }),
};

for (const [how, end] of Object.entries(ENDS)) {
  Deno.test(`Server.${how} closes everything at once, without a goodbye`, async () => {
    const { server, client, events } = await connected(echo);

    end(server);
    await server.finished;

    assertEquals(await Array.fromAsync(client), []);
    assertEquals((await events.next("disconnected")).reason, "shutdown");
    assertEquals(events.types(), ["listening", "connected", "disconnected", "stopped"]);
    client.close();
  });
}

Deno.test("Server.close() closes a connection whose last bytes are on their way", async () => {
  const returned = Promise.withResolvers<void>();
  const server = serve(async (conn) => {
    await conn.receive();
    conn.sendBytes(new Uint8Array(32 * 1024 * 1024));
    returned.resolve();
  }, { maxBodyBytes: 64 * 1024 * 1024 });
  using client = await FramedConn.connect({
    port: server.addr.port,
    maxBodyBytes: 64 * 1024 * 1024,
  });
  await client.closeWrite();
  await returned.promise;
  await turns();
  assertEquals(server.connections, 1);

  server.close();
  await server.finished;

  assertEquals(server.connections, 0);
  // It gets what the operating system had taken.
  await assertRejects(() => client.receiveBytes(), Deno.errors.UnexpectedEof);
});

Deno.test("Server.close() closes a client that is being accepted in this moment", async () => {
  const [client, accepted] = await tcpPair();
  using peer = new FramedConn(client);
  const accepting = Promise.withResolvers<Deno.Conn>();
  const listener = {
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 9090 },
    accept: () => accepting.promise,
    close: () => {},
  };
  using _listening = stub(Deno, "listen", (() => listener) as unknown as typeof Deno.listen);
  const server = serve(echo);

  accepting.resolve(accepted);
  server.close();
  await server.finished;

  assertEquals(await Array.fromAsync(peer), []);
});

Deno.test("Server.close() closes those who are just being refused", async () => {
  const events = new Events();
  const server = serve(echo, { goodbye: goodbyeText, maxConnections: 1, onEvent: events.take });
  using _first = await connectTo(server);
  await events.next("connected");
  using second = await connectTo(server);
  await events.next("refused");
  assertEquals(await Array.fromAsync(second), [goodbyeText("full")]);

  server.close();
  await server.finished;

  assertEquals(events.types().at(-1), "stopped");
});

Deno.test("Server.close() during a shutdown ends the waiting", async () => {
  using time = new FakeTime();
  const { server, client } = await connected(() => new Promise(() => {}));

  const stopping = server.shutdown();
  await turns();
  server.close();
  assertEquals(await Array.fromAsync(client), []);
  time.tick(1000);
  await stopping;

  client.close();
});

Deno.test("serve({ signal }) closes the server when it aborts", async () => {
  const closing = new AbortController();
  const server = serve(echo, { signal: closing.signal });
  const client = await connectTo(server);
  await client.request("hello");

  closing.abort();
  await server.finished;

  assertEquals(await Array.fromAsync(client), []);
  client.close();
});

Deno.test("serve({ signal }) ends at once when it has aborted before", async () => {
  const events = new Events();

  const server = serve(echo, { signal: AbortSignal.abort(), onEvent: events.take });
  await server.finished;

  assertEquals(events.types(), ["listening", "stopped"]);
});

Deno.test("Server[Symbol.asyncDispose]() shuts down with goodbyes", async () => {
  let client: FramedConn;
  let messages: Promise<string[]>;
  {
    await using server = serve(echo, { goodbye: goodbyeText });
    client = await connectTo(server);
    await client.request("hello");
    messages = Array.fromAsync(client).finally(() => client.close());
  }

  assertEquals(await messages, [goodbyeText("shutdown")]);
});

Deno.test("Server[Symbol.asyncDispose]() takes 5 s at most, whatever handlers do", async () => {
  using time = new FakeTime();
  const { server, client } = await connected(() => new Promise(() => {}));

  const disposing = server[Symbol.asyncDispose]();
  await turns();
  time.tick(4000);
  await turns();
  assertEquals(await isPending(disposing), true);
  time.tick(1000);
  await disposing;

  client.close();
});
