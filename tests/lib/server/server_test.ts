import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { concat, frameOf, header, utf8 } from "../../support/bytes.ts";
import { Events } from "../../support/events.ts";
import { connectToReset } from "../../support/loopback.ts";
import { connectTo } from "../../support/served.ts";
import { turns } from "../../support/turns.ts";
import type { Handler } from "../../../lib/server/conversation.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve, Server } from "../../../lib/server/server.ts";

const echo: Handler = async (conn) => {
  for await (const text of conn) {
    if (text === "fail") throw new Error("told to");
    await conn.send(text);
  }
};

Deno.test("serve() answers message after message, at 127.0.0.1 by default", async () => {
  await using server = serve(echo);
  using client = await connectTo(server);

  const answers = [];
  for (const text of ["one", "", "трі"]) answers.push(await client.request(text));

  assertEquals(answers, ["one", "", "трі"]);
  assertEquals(server.addr.hostname, "127.0.0.1");
});

Deno.test("serve() holds many conversations at once", async () => {
  await using server = serve(echo);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(server)));

  const answers = await Promise.all(clients.map((client, i) => client.request(`${i}`)));

  assertEquals(answers, clients.map((_, i) => `${i}`));
  assertEquals(server.connections, 20);
  for (const client of clients) client.close();
});

Deno.test("serve() tells the port it moved to", async () => {
  await using busy = serve(echo);
  const events = new Events();
  const { port } = busy.addr;

  await using server = serve(echo, { port, portAttempts: 10, onEvent: events.take });

  assertGreater(server.addr.port, port);
  assertEquals(events.all, [
    { type: "listening", hostname: "127.0.0.1", port: server.addr.port, requestedPort: port },
  ]);
});

Deno.test("serve() insists on its port", async () => {
  await using busy = serve(echo);
  const { port } = busy.addr;

  assertThrows(() => serve(echo, { port }), Deno.errors.AddrInUse, `port ${port} is busy`);
});

Deno.test("serve() ends a conversation without a last message, whatever the handler returns", async () => {
  await using server = serve((conn) => conn.receive());
  using client = await connectTo(server);
  using kicked = await connectTo(server);
  await client.send("hello");
  await kicked.flush();
  while (server.connections < 2) await turns(1);

  assertEquals(await Array.fromAsync(client), []);
  server.end("kicked");
  assertEquals(await Array.fromAsync(kicked), []);
});

Deno.test("serve() tells a caller's mistakes at once", () => {
  assertThrows(() => serve(echo, { tcpBacklog: NaN }), RangeError, "tcpBacklog is NaN");
  assertThrows(() => serve(echo, { port: 70_000 }), RangeError, "Cannot listen on port 70000");
  assertThrows(() => serve(echo, { maxBodyBytes: -1 }), RangeError, "Cannot limit bodies to -1");
  for (const limit of ["maxConnections", "maxPerAddress", "idleTimeoutMs", "highWaterMarkBytes"]) {
    assertThrows(() => serve(echo, { [limit]: -1 }), RangeError, `${limit} is -1`);
    assertThrows(() => serve(echo, { [limit]: NaN }), RangeError, `${limit} is NaN`);
  }
  assertThrows(() => serve(echo, { cert: "PEM" }), TypeError, "Cannot listen with TLS");
});

Deno.test("Server is what serve() returns", async () => {
  await using server = new Server(echo);
  using client = await connectTo(server);

  assertEquals(await client.request("hello"), "hello");
});

/** What a client may do to its own conversation. */
const crashes: [string, string, (port: number) => Promise<Disposable>][] = [
  ["leaves", "finished", async (port) => {
    (await FramedConn.connect({ port })).close();
    return { [Symbol.dispose]() {} };
  }],
  ["resets its connection", "lost", async (port) => {
    (await connectToReset(port))();
    return { [Symbol.dispose]() {} };
  }],
  ["leaves inside a frame", "truncated", async (port) => {
    const client = await FramedConn.connect({ port });
    await client.write(concat(header(100), utf8("half")));
    await client.closeWrite();
    return client;
  }],
  ["sends garbage", "protocol", (port) => sendBytes(port, utf8("GET / HTTP/1.1\r\n\r\n"))],
  ["announces 4 GiB", "protocol", (port) => sendBytes(port, header(0xffff_ffff))],
  ["sends bytes that are not UTF-8", "protocol", (port) => sendBytes(port, frameOf(0xff))],
  ["makes the handler fail", "failed", (port) => sendBytes(port, frameOf(...utf8("fail")))],
];
async function sendBytes(port: number, bytes: Uint8Array): Promise<FramedConn> {
  const client = await FramedConn.connect({ port });
  await client.write(bytes);
  await Array.fromAsync(client);
  return client;
}

for (const [what, reason, crash] of crashes) {
  Deno.test(`serve() goes on for everybody else when a client ${what}`, async () => {
    const events = new Events();
    await using server = serve(echo, { onEvent: events.take });
    using other = await connectTo(server);
    await other.request("before");

    (await crash(server.addr.port))[Symbol.dispose]();
    const disconnected = await events.next("disconnected");

    assertEquals([disconnected.conn.id, disconnected.reason], [2, reason]);
    assertEquals(await other.request("after"), "after");
    using next = await connectTo(server);
    assertEquals(await next.request("next"), "next");
  });
}

Deno.test("serve() tells a life in events, with sizes only", async () => {
  const events = new Events();
  const server = serve(echo, { onEvent: events.take });
  const client = await connectTo(server);

  await client.request("sécret");
  client.close();
  await events.next("disconnected");
  await server.shutdown();

  const { port } = server.addr;
  const { conn } = await events.next("connected");
  assertEquals(events.all, [
    { type: "listening", hostname: "127.0.0.1", port, requestedPort: 0 },
    { type: "connected", conn },
    { type: "received", conn, bytes: 7 },
    { type: "sent", conn, bytes: 7 },
    { type: "disconnected", conn, reason: "finished" },
    { type: "stopped" },
  ]);
});

for (const callback of ["onEvent", "onReceived", "onSent"] as const) {
  Deno.test(`serve() prints what \`${callback}\` throws, and goes on`, async () => {
    using printing = stub(console, "error");
    const mistake = () => {
      throw new Error("a mistake");
    };
    await using server = serve(echo, { [callback]: mistake });
    using client = await connectTo(server);

    const answers = [await client.request("one"), await client.request("two")];

    assertEquals(answers, ["one", "two"]);
    assertMatch(printing.calls[0]!.args[0], new RegExp(`^${callback} threw: Error: a mistake`));
  });
}

Deno.test("serve() prints what `goodbye` throws, and closes", async () => {
  using printing = stub(console, "error");
  await using server = serve(echo, {
    goodbye: () => {
      throw new Error("a mistake");
    },
  });
  using client = await connectTo(server);
  await client.request("hello");

  server.end("kicked");

  assertEquals(await Array.fromAsync(client), []);
  assertMatch(printing.calls[0]!.args[0], /^goodbye threw: Error: a mistake/);
});

Deno.test("serve() prints what a handler throws, once, where there is no `onEvent`", async () => {
  using printing = stub(console, "error");
  for (const options of [{}, { onEvent: () => {} }]) {
    await using server = serve(echo, options);
    using client = await connectTo(server);
    await client.send("fail");
    await Array.fromAsync(client);
  }

  assertEquals(printing.calls.length, 1);
  assertMatch(printing.calls[0]!.args[0], /^A handler threw: Error: told to/);
});

Deno.test("serve() prints what a handler throws when the server ends its conversation", async () => {
  using printing = stub(console, "error");
  await using server = serve(async (conn) => {
    while (await conn.receive() !== null);
    throw new Error("while cleaning up");
  }, { goodbye: goodbyeText });
  using client = await connectTo(server);
  await client.send("hello");
  await client.flush();
  while (server.connections === 0) await turns(1);

  server.end("kicked");

  assertEquals(await Array.fromAsync(client), [goodbyeText("kicked")]);
  assertMatch(printing.calls[0]!.args[0], /^A handler threw: Error: while cleaning up/);
});

Deno.test("serve({ onReceived, onSent, onEvent }) calls all of them", async () => {
  const told: string[] = [];
  await using server = serve(echo, {
    onReceived: (bytes) => told.push(`received ${bytes}`),
    onSent: (bytes) => told.push(`sent ${bytes}`),
    onEvent: (event) => "bytes" in event && told.push(`${event.type} ${event.bytes}`),
  });
  using client = await connectTo(server);

  await client.request("four");

  assertEquals(told.sort(), ["received 4", "received 4", "sent 4", "sent 4"]);
});

Deno.test("Server.peers() tells who is connected, in the order they came", async () => {
  const events = new Events();
  await using server = serve(echo, { onEvent: events.take });
  using first = await connectTo(server);
  await events.next("connected");
  using second = await connectTo(server);
  await events.next("connected");

  const peers = server.peers();

  assertEquals(peers.map(({ id }) => id), [1, 2]);
  assertEquals(
    peers.map(({ peer }) => peer),
    [first, second].map(({ localAddr }) => `127.0.0.1:${(localAddr as Deno.NetAddr).port}`),
  );
  assert(peers.every(({ connectedAt }) => Math.abs(Date.now() - connectedAt) < 60_000));
});

Deno.test("Server.end() ends the conversations it is told to, and no others", async () => {
  const events = new Events();
  await using server = serve(echo, { goodbye: goodbyeText, onEvent: events.take });
  using kicked = await connectTo(server);
  await events.next("connected");
  using kept = await connectTo(server);
  await events.next("connected");

  const ended = server.end("kicked", ({ id }) => id === 1);

  assertEquals(ended, 1);
  assertEquals(await Array.fromAsync(kicked), [goodbyeText("kicked")]);
  assertEquals(await kept.request("still"), "still");
});

Deno.test("Server.close() inside `connected` ends a handler that would never return", async () => {
  const server: Server = serve(() => new Promise(() => {}), {
    onEvent: ({ type }) => type === "connected" && server.close(),
  });
  using _client = await connectTo(server);

  await server.finished;

  assertEquals(server.connections, 0);
});

Deno.test("Server.connections and peers() count a client from `connected` until `disconnected`", async () => {
  const seen: [string, number, number][] = [];
  const events = new Events();
  await using server = serve(echo, {
    onEvent: (event) => {
      seen.push([event.type, server?.connections ?? 0, server?.peers().length ?? 0]);
      events.take(event);
    },
  });
  const client = await connectTo(server);

  await client.request("hello");
  client.close();
  await events.next("disconnected");

  assertEquals(seen.filter(([type]) => type.endsWith("connected")), [
    ["connected", 1, 1],
    ["disconnected", 0, 0],
  ]);
});

const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();
const ipv6 = hasIpv6 ? "" : " (skipped: this machine has no IPv6)";
Deno.test({
  name: `serve() listens on ::1 and shows IPv6 peers in brackets${ipv6}`,
  ignore: !hasIpv6,
  fn: async () => {
    const events = new Events();
    await using server = serve(echo, { hostname: "::1", onEvent: events.take });
    using client = await FramedConn.connect({ hostname: "::1", port: server.addr.port });

    const { conn } = await events.next("connected");

    const { port } = client.localAddr as Deno.NetAddr;
    assertEquals(server.addr.hostname, "::1");
    assertEquals([conn.peer, conn.address], [`[::1]:${port}`, "::1"]);
    assertEquals(await client.request("hello"), "hello");
  },
});
