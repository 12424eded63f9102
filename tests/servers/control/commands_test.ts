import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import type { LogFile } from "../../../lib/log/log_file.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";
import { echo } from "../../../servers/echo.ts";
import { COMMANDS, commandsOf, type ServerContext } from "../../../servers/control/commands.ts";
import type { Service } from "../../../servers/service.ts";
import { openSite } from "../../../servers/web/site.ts";
import { FILES, testWith } from "../../support/permissions.ts";

/** A running echo server with its commands. */
function setUp(more: Partial<Service> = {}) {
  const http = openSite({ name: "echo", host: "127.0.0.1" });
  const server = serve(echo, { goodbye: goodbyeText, http });
  const service = { handler: echo, ...more };
  const context: ServerContext = {
    server,
    service,
    log: {} as LogFile,
    counter: { messages: 3 },
    drain: (run) => run(AbortSignal.timeout(5000)),
  };
  return {
    server,
    service,
    run: (command: string, argument = "") => COMMANDS[command]!.listening!(argument, context),
    async connect() {
      const conn = await FramedConn.connect({ port: server.addr.port });
      await conn.request("here");
      return conn;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

Deno.test("status tells address, uptime, connections, messages and memory", async () => {
  await using kit = setUp();
  using _conn = await kit.connect();

  const status = await kit.run("status");

  assertMatch(
    status,
    new RegExp(
      `^address      127\\.0\\.0\\.1:${kit.server.addr.port}\nuptime       \\d s\n` +
        "connections  1\nmessages     3\nmemory       \\d+ MiB$",
    ),
  );
});

Deno.test("status tells when the system does not say how much memory it takes", async () => {
  await using kit = setUp();
  using _poor = stub(Deno, "memoryUsage", () => ({ rss: 0 }) as Deno.MemoryUsage);

  assertMatch(await kit.run("status"), /\nmemory {7}unknown$/);
});

Deno.test("status tells of trouble with storage while it lasts, escaped", async () => {
  const troubles = ["failing since 12:03: no\x1b room", undefined];
  await using kit = setUp({ trouble: () => troubles.shift() });

  assertMatch(await kit.run("status"), / MiB\nstorage {6}failing since 12:03: no\\x1b room$/);
  assertMatch(await kit.run("status"), / MiB$/);
});

Deno.test("who lists number, name, address and time, with names escaped", async () => {
  await using kit = setUp({
    nameOf: ({ id }) => id === 1 ? "An\x1bna" : undefined,
    detailOf: ({ id }) => id === 2 ? "thread 7" : undefined,
  });
  assertEquals(await kit.run("who"), "Nobody is connected");
  using _a = await kit.connect();
  using _b = await kit.connect();

  const [first, second] = (await kit.run("who")).split("\n");

  assertMatch(first!, /^1 {2}An\\x1bna {2}127\.0\.0\.1:\d+ {2}\d s$/);
  assertMatch(second!, /^2 {2}- {2}127\.0\.0\.1:\d+ {2}\d s {2}thread 7$/);
});

Deno.test("pause does not count a browser that has only requested pages", async () => {
  await using kit = setUp();
  const browser = await Deno.connect({ port: kit.server.addr.port });
  await browser.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n"));
  await browser.read(new Uint8Array(1000));

  const paused = kit.run("pause");
  browser.close();

  assertEquals(await paused, "Paused: 0 clients asked to come back. Type resume to go on");
});

Deno.test("pause sends clients away, resume lets them come back to the same port", async () => {
  await using kit = setUp();
  using conn = await kit.connect();

  const paused = kit.run("pause");
  const goodbye = await conn.receive();
  conn.close();

  assertStringIncludes(goodbye!, "Goodbye: the server pauses");
  assertEquals(await paused, "Paused: 1 client asked to come back. Type resume to go on");
  assertStringIncludes(await kit.run("status"), `${kit.server.addr.port} (paused)`);
  assertEquals(await kit.run("pause"), "Paused already");
  assertEquals(await kit.run("resume"), `Listening on 127.0.0.1:${kit.server.addr.port}`);
  assertEquals(await kit.run("resume"), "Not paused");
  using _back = await kit.connect();
});

Deno.test("resume rejects when another program has taken the port", async () => {
  await using kit = setUp();
  await kit.run("pause");
  using _thief = Deno.listen({ hostname: "127.0.0.1", port: kit.server.addr.port });

  await assertRejects(async () => await kit.run("resume"), Deno.errors.AddrInUse, "busy");
});

for (const how of ["name", "name in capitals", "number", "address", "peer"]) {
  Deno.test(`kick ends the connections of a ${how}, with a goodbye`, async () => {
    await using kit = setUp({ nameOf: ({ id }) => id === 1 ? "Anna" : "Боря" });
    using anna = await kit.connect();
    const { peer, address } = kit.server.peers()[0]!;
    const argument = { name: "Anna", number: "1", address, peer }[how] ?? "ANNA";

    assertEquals(await kit.run("kick", argument), "Ended 1 connection");
    assertEquals(await anna.receive(), "Goodbye: the operator ended the connection");
  });
}

testWith(
  FILES,
  "kick of an address ends connections that only request pages; who counts them",
  async () => {
    // The server waits 2 s for the next request: on a busy machine, less than this takes.
    using _time = new FakeTime();
    await using kit = setUp();
    const request = "GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const ended: Promise<unknown>[] = [];
    for (const sent of [request, request + "GET / HT"]) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: kit.server.addr.port });
      await conn.write(new TextEncoder().encode(sent));
      await conn.read(new Uint8Array(4096));
      ended.push(conn.readable.pipeTo(new WritableStream()));
    }

    assertEquals(await kit.run("who"), "2 connections for pages only");
    assertEquals(await kit.run("kick", "127.0.0.1"), "Ended 2 connections");
    await Promise.all(ended);
  },
);

Deno.test("kick with a number means a connection, and with @ the user of that name", async () => {
  const names: Record<number, string> = { 1: "2", 2: "Bea", 3: "-" };
  await using kit = setUp({ nameOf: ({ id }) => names[id] });
  using two = await kit.connect();
  using bea = await kit.connect();
  using dash = await kit.connect();
  const shown = (await kit.run("who")).split("\n").map((line) => line.split("  ")[1]);

  assertEquals(await kit.run("kick", "2"), "Ended 1 connection");
  assertEquals(await bea.receive(), "Goodbye: the operator ended the connection");
  assertEquals(await kit.run("kick", "@2"), "Ended 1 connection");
  assertEquals(await two.receive(), "Goodbye: the operator ended the connection");
  assertEquals(
    await kit.run("kick", "9"),
    "There is no connection 9. If it is a name, type kick @9",
  );
  assertEquals(shown, ["@2", "Bea", "@-"]);
  dash.close();
});

Deno.test("kick tells when nobody is meant, and escapes whom", async () => {
  await using kit = setUp({ nameOf: () => undefined });
  using _conn = await kit.connect();

  assertEquals(await kit.run("kick", "undefined"), "No client has the name or address undefined");
  assertEquals(await kit.run("kick", "\x1b[2J"), "No client has the name or address \\x1b[2J");
  assertStringIncludes(await kit.run("kick"), "Usage: kick WHO");
});

Deno.test("commandsOf() leaves out what a service cannot do", async () => {
  await using kit = setUp({ clearUsers: () => 1 });

  const names = commandsOf(kit.service);

  assertEquals([names.includes("clear-users"), names.includes("say")], [true, false]);
});

Deno.test("say and clear-users tell how many they reached", async () => {
  await using kit = setUp({ say: (text) => text.length, clearUsers: () => 1 });

  assertEquals(await kit.run("say", "12"), "Said to 2 connections");
  assertEquals(await kit.run("say"), "Usage: say TEXT");
  assertEquals(await kit.run("clear-users"), "Forgot 1 user");
});
