import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import type { LogFile } from "../../../lib/log/log_file.ts";
import { serve } from "../../../lib/server/server.ts";
import { echo } from "../../../servers/echo.ts";
import { ServerCommands } from "../../../servers/control/server_commands.ts";
import type { Service } from "../../../servers/service.ts";

/** A running echo server with its commands. */
function setUp(service: Partial<Service> = {}) {
  const server = serve(echo);
  const logged: string[] = [];
  const log = {
    info: (event: string, fields: Record<string, unknown>) =>
      logged.push(`${event} ${JSON.stringify(fields)}`),
    flush: () => logged.push("flush"),
  };
  const commands = new ServerCommands({
    server,
    service: { handler: echo, ...service },
    log: log as unknown as LogFile,
    counter: { messages: 3 },
    stop: () => server.shutdown(),
  });
  return {
    server,
    logged,
    run: (command: string, argument = "") => commands.run(command, argument),
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

Deno.test("Each command leaves a line in the log without what was said, on disk at once", async () => {
  await using kit = setUp({ say: () => 0 });

  await kit.run("say", "a secret");

  assertEquals(kit.logged, ['command {"command":"say"}', "flush"]);
});

Deno.test("kick leaves in the log whom it meant, and stop what asked for it", async () => {
  await using kit = setUp();

  await kit.run("kick", "An na");
  await kit.run("stop", "SIGTERM");

  assertEquals(kit.logged.filter((line) => line !== "flush"), [
    'command {"command":"kick","argument":"An na"}',
    'stop {"by":"SIGTERM"}',
  ]);
});

Deno.test("who lists number, name, address and time, with names escaped", async () => {
  await using kit = setUp({ nameOf: ({ id }) => id === 1 ? "An\x1bna" : undefined });
  assertEquals(await kit.run("who"), "Nobody is connected");
  using _a = await kit.connect();
  using _b = await kit.connect();

  const [first, second] = (await kit.run("who")).split("\n");

  assertMatch(first!, /^1 {2}An\\x1bna {2}127\.0\.0\.1:\d+ {2}\d s$/);
  assertMatch(second!, /^2 {2}- {2}127\.0\.0\.1:\d+ {2}\d s$/);
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

Deno.test("resume tells that somebody else has taken the port", async () => {
  await using kit = setUp();
  await kit.run("pause");
  using _thief = Deno.listen({ hostname: "127.0.0.1", port: kit.server.addr.port });

  assertMatch(await kit.run("resume"), /^Cannot run resume: Cannot listen on .* busy$/);
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

Deno.test("kick tells when nobody is meant, and escapes whom", async () => {
  await using kit = setUp({ nameOf: () => undefined });
  using _conn = await kit.connect();

  assertEquals(await kit.run("kick", "undefined"), "Nobody here is called undefined");
  assertEquals(await kit.run("kick", "\x1b[2J"), "Nobody here is called \\x1b[2J");
  assertStringIncludes(await kit.run("kick"), "Usage: kick NAME");
});

Deno.test("say and clear-users tell when the server is none that can", async () => {
  await using kit = setUp();

  assertEquals(await kit.run("say", "hello"), "This server is no chat");
  assertEquals(await kit.run("clear-users"), "This server keeps no users");
});

Deno.test("say and clear-users tell how many they reached", async () => {
  await using kit = setUp({ say: (text) => text.length, clearUsers: () => 1 });

  assertEquals(await kit.run("say", "12"), "Said to 2 connections");
  assertEquals(await kit.run("say"), "Usage: say TEXT");
  assertEquals(await kit.run("clear-users"), "Forgot 1 user");
});

Deno.test("A command that fails tells why", async () => {
  await using kit = setUp({ clearUsers: () => Promise.reject(new Error("the disk is full")) });

  assertEquals(await kit.run("clear-users"), "Cannot run clear-users: the disk is full");
});

Deno.test("stop says goodbye and ends the server", async () => {
  await using kit = setUp();
  using conn = await kit.connect();

  const stopped = kit.run("stop");
  const goodbye = await conn.receive();
  conn.close();

  assertEquals([goodbye, await stopped], ["Goodbye: the server stops", "Stopped"]);
});
