import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { concat, frameOf, header, utf8 } from "../../support/bytes.ts";
import { Events } from "../../support/events.ts";
import { connectToReset } from "../../support/loopback.ts";
import type { Handler } from "../../../lib/server/conversation.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../lib/server/goodbye.ts";
import { serve, type Server } from "../../../lib/server/server.ts";

const echo: Handler = async (conn) => {
  for await (const text of conn) await conn.send(text);
};
const connectTo = (server: Server) => FramedConn.connect({ port: server.addr.port });

for (const transport of ["deno", "node"] as const) {
  const test = (behaviour: string, fn: () => Promise<void>) =>
    Deno.test(`serve({ transport: "${transport}" }) ${behaviour}`, fn);

  test("answers message after message, large ones too", async () => {
    await using server = serve(echo, { transport });
    using client = await connectTo(server);
    const texts = ["one", "", "трі", "x".repeat(1_000_000)];

    const answers = [];
    for (const text of texts) answers.push(await client.request(text));

    assertEquals(answers, texts);
    assertEquals(server.addr.hostname, "127.0.0.1");
  });

  test("answers all that was sent before the peer's half-close", async () => {
    await using server = serve(echo, { transport });
    using client = await connectTo(server);

    for (let i = 0; i < 1000; i++) await client.send(`${i}`);
    await client.closeWrite();

    const answers = await Array.fromAsync(client);
    assertEquals(answers, Array.from({ length: 1000 }, (_, i) => `${i}`));
  });

  test("moves on when the port is busy", async () => {
    await using busy = serve(echo, { transport });

    await using server = serve(echo, { transport, port: busy.addr.port });

    assertGreater(server.addr.port, busy.addr.port);
  });

  const crashes: [string, string, (port: number) => Promise<void>][] = [
    ["leaves", "finished", async (port) => (await FramedConn.connect({ port })).close()],
    ["resets its connection", "lost", async (port) => (await connectToReset(port))()],
    ["tears a frame", "torn", (port) => sendBytes(port, concat(header(100), utf8("half")))],
    ["announces 4 GiB", "protocol", (port) => sendBytes(port, header(0xffff_ffff))],
    ["sends no UTF-8", "protocol", (port) => sendBytes(port, frameOf(0xff))],
  ];
  for (const [what, reason, crash] of crashes) {
    test(`goes on for everybody else when a client ${what}`, async () => {
      const events = new Events();
      await using server = serve(echo, { transport, onEvent: events.take });
      using other = await connectTo(server);
      await other.request("before");

      await crash(server.addr.port);

      assertEquals((await events.next("disconnected")).reason, reason);
      assertEquals(await other.request("after"), "after");
    });
  }

  test("says goodbye at shutdown", async () => {
    const server = serve(echo, { transport });
    using client = await connectTo(server);
    await client.request("hello");

    const stopping = server.shutdown();

    assertEquals(await Array.fromAsync(client), [goodbyeText("shutdown")]);
    client.close();
    await stopping;
  });

  test("pauses, and resumes on the same port", async () => {
    await using server = serve(echo, { transport });
    const { port } = server.addr;
    using before = await connectTo(server);
    await before.request("hello");

    const pausing = server.pause();
    assertEquals(await Array.fromAsync(before), [goodbyeText("paused")]);
    before.close();
    await pausing;
    await server.resume();

    using after = await connectTo(server);
    assertEquals([server.addr.port, await after.request("again")], [port, "again"]);
  });

  test("tells the excess that it is full", async () => {
    await using server = serve(echo, { transport, maxConnections: 1 });
    using first = await connectTo(server);
    await first.request("hello");

    using second = await connectTo(server);

    assertEquals(await Array.fromAsync(second), [goodbyeText("full")]);
  });

  test("closes at once", async () => {
    const server = serve(echo, { transport });
    using client = await connectTo(server);
    await client.request("hello");

    server.close();
    await server.finished;

    assertEquals(await client.receive().catch(() => null), null);
  });
}

Deno.test('serve({ transport: "node" }) says once that it looks no names up', () => {
  const { message } = assertThrows(
    () => serve(echo, { transport: "node", hostname: "ip6-localhost" }),
    TypeError,
  );

  assertEquals(
    message,
    "Cannot listen on ip6-localhost: the node transport looks no names up: give an address",
  );
});

Deno.test('serve({ transport: "node" }) does not speak TLS', () => {
  assertThrows(
    () => serve(echo, { transport: "node", cert: "PEM", key: "PEM" }),
    TypeError,
    "Cannot listen on 127.0.0.1: there is no TLS over the node transport",
  );
});

async function sendBytes(port: number, bytes: Uint8Array): Promise<void> {
  using client = await FramedConn.connect({ port });
  await client.write(bytes);
  await client.closeWrite();
  await Array.fromAsync(client);
}
