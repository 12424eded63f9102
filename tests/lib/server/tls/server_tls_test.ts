import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { frameOf } from "../../../support/bytes.ts";
import { testWithCertificate } from "../../../support/certificate.ts";
import { Events } from "../../../support/events.ts";
import { echo } from "../../../support/served.ts";
import { turns } from "../../../support/turns.ts";
import { FramedConn } from "../../../../lib/conn/framed_conn.ts";
import { FrameTooLargeError } from "../../../../lib/frame/frame.ts";
import { goodbyeText } from "../../../../lib/server/end_reason.ts";
import { serve, type Server } from "../../../../lib/server/server.ts";

const connectTo = (server: Server, cert: string) =>
  FramedConn.connect({ port: server.addr.port, tls: { caCerts: [cert] } });
const connectPlain = (server: Server) =>
  Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });

testWithCertificate(
  "serve({ cert, key }) speaks TLS, also to say goodbye and to refuse",
  async ({ cert, key }) => {
    const events = new Events();
    const options = { maxConnections: 2, goodbye: goodbyeText, onEvent: events.take };
    const server = serve(echo, { cert, key, ...options });
    const client = await connectTo(server, cert);
    assertEquals(await client.request("hello"), "hello");
    using other = await connectTo(server, cert);
    await other.request("hello");
    using excess = await connectTo(server, cert);
    assertEquals(await Array.fromAsync(excess), [goodbyeText("full")]);

    client.close();
    assertEquals((await events.next("disconnected")).reason, "finished");
    const stopping = server.shutdown();
    assertEquals(await Array.fromAsync(other), [goodbyeText("shutdown")]);
    other.close();
    await stopping;
  },
);

testWithCertificate("serve({ cert, key }) sends a client without TLS an alert", async (pair) => {
  await using server = serve(echo, pair);
  using client = await FramedConn.connect({ port: server.addr.port });

  await client.send("hello");
  const error = await assertRejects(() => client.receive(), FrameTooLargeError);

  assertEquals(error.bodyBytes >>> 16, 0x1503);
});

testWithCertificate(
  "serve({ cert, key }) serves on when a plain client comes",
  async ({ cert, key }) => {
    const events = new Events();
    await using server = serve(echo, { cert, key, onEvent: events.take });
    using other = await connectTo(server, cert);
    await other.request("before");

    using plain = await connectPlain(server);
    await plain.write(frameOf(1, 2, 3));

    const { conn, reason, error } = await events.next("disconnected");
    assertEquals([conn.id, reason], [2, "protocol"]);
    assertInstanceOf(error, Deno.errors.InvalidData);
    assertEquals(await other.request("after"), "after");
  },
);

testWithCertificate(
  "serve({ cert, key }) serves on when a client does not trust it",
  async ({ cert, key }) => {
    const events = new Events();
    await using server = serve(echo, { cert, key, onEvent: events.take });

    await assertRejects(
      () => FramedConn.connect({ port: server.addr.port, tls: {} }),
      Deno.errors.InvalidData,
    );
    await events.next("disconnected");

    using client = await connectTo(server, cert);
    assertEquals(await client.request("hello"), "hello");
  },
);

testWithCertificate(
  "serve({ cert, key }) drops a client that has not shaken hands after 10 s",
  async ({ cert, key }) => {
    using time = new FakeTime();
    const events = new Events();
    await using server = serve(echo, { cert, key, onEvent: events.take });
    using silent = await connectPlain(server);
    await events.next("connected");

    time.tick(9999);
    await turns();
    assertEquals(events.count("disconnected"), 0);
    time.tick(1);

    assertEquals((await events.next("disconnected")).reason, "idle");
    assertEquals(await silent.read(new Uint8Array(1)), null);
  },
);

testWithCertificate(
  "serve({ cert, key }) closes the socket of a refused client that stays silent",
  async ({ cert, key }) => {
    using time = new FakeTime();
    const events = new Events();
    await using server = serve(echo, { cert, key, maxConnections: 1, onEvent: events.take });
    using _first = await connectPlain(server);
    using refused = await connectPlain(server);
    await events.next("refused");

    time.tick(2000);

    assertEquals(await refused.read(new Uint8Array(1)), null);
  },
);

testWithCertificate(
  "serve({ cert, key }) delivers what was sent last, however large",
  async ({ cert, key }) => {
    await using server = serve(async (conn) => {
      await conn.send("x".repeat(1_000_000));
      conn.close();
    }, { cert, key });
    using client = await connectTo(server, cert);

    assertEquals((await Array.fromAsync(client)).map((text) => text.length), [1_000_000]);
  },
);

testWithCertificate("serve({ cert, key }) wants a pair", ({ cert, key }) => {
  const other = key.replace(/[a-z]/, (letter) => letter.toUpperCase());

  assertThrows(() => serve(echo, { cert: "PEM", key }), Error, "Cannot listen on 127.0.0.1");
  assertThrows(() => serve(echo, { cert, key: other }), Error, "Cannot listen on 127.0.0.1");
  return Promise.resolve();
});

testWithCertificate("Server.shutdown() does not wait for a handshake", async ({ cert, key }) => {
  using _time = new FakeTime();
  const events = new Events();
  const server = serve(echo, { cert, key, onEvent: events.take });
  using _silent = await connectPlain(server);
  await events.next("connected");

  await server.shutdown();

  assertEquals((await events.next("disconnected")).reason, "shutdown");
});

testWithCertificate("Server.resume() speaks TLS again", async ({ cert, key }) => {
  await using server = serve(echo, { cert, key });
  await server.pause();
  await server.resume();

  using client = await connectTo(server, cert);

  assertEquals(await client.request("hello"), "hello");
});

testWithCertificate(
  "FramedConn.connect({ tls }) leaves the connection alone when its signal aborts later",
  async ({ cert, key }) => {
    await using server = serve(echo, { cert, key });
    const controller = new AbortController();
    const { port } = server.addr;
    const { signal } = controller;
    using client = await FramedConn.connect({ port, signal, tls: { caCerts: [cert] } });

    controller.abort();

    assertEquals(await client.request("still here"), "still here");
  },
);
