import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { runServer, ServerProcess } from "../../tools/shared/server_process.ts";

const DATED = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

for (
  const [name, flags, message] of [
    ["", [], "without its name"],
    ["echo", ["--port", "abc"], 'Cannot use --port "abc"'],
  ] as [string, string[], string][]
) {
  testWith(
    PROCESSES,
    `main.ts ${[name, ...flags].join(" ")} exits with 2 and one line`,
    async () => {
      const { code, out, err } = await runServer(name, ...flags);

      assertEquals([code, out], [2, ""]);
      assertMatch(err, /^[^\n]+\n$/);
      assertStringIncludes(err, message);
    },
  );
}

for (
  const [what, flags, message] of [
    ["a host that is not this machine's", ["--host", "127.0.0.1.invalid"], "Cannot listen on"],
    ["a log path that is a folder", ["--log", "lib"], "Cannot open the log file lib: "],
    ["a data folder that cannot be", ["--data", "lib/base/numbers.ts"], "Cannot open the log file"],
  ] as [string, string[], string][]
) {
  testWith(PROCESSES, `main.ts exits with 1 and one line for ${what}`, async () => {
    const { code, out, err } = await runServer("echo", "--port=0", ...flags);

    assertEquals([code, out], [1, ""]);
    assertMatch(err, /^[^\n]+\n$/);
    assertStringIncludes(err, message);
  });
}

testWith(PROCESSES, "main.ts --help explains the flags and exits with 0", async () => {
  const { code, out, err } = await runServer("echo", "--help");

  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "--max-per-address N");
});

testWith(PROCESSES, "main.ts moves to the next free port and says so", async () => {
  using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = busy.addr;
  await using server = await ServerProcess.start("echo", ["--port", `${port}`]);

  assertMatch(server.firstLine, /^Listening on 127\.0\.0\.1:\d+ \(\d+ was busy\)$/);
  assertStringIncludes(server.firstLine, `(${port} was busy)`);
  assertEquals(server.port > port, true);
});

testWith(PROCESSES, "main.ts puts an IPv6 address into brackets", async () => {
  await using server = await ServerProcess.start("echo", ["--host", "::1"]);

  assertMatch(server.firstLine, /^Listening on \[::1\]:\d+$/);
  assertStringIncludes(await server.command("status", 5), `[::1]:${server.port}\n`);
});

testWith(
  PROCESSES,
  "main.ts writes its events to the log, sizes and no contents, nothing to the console",
  async () => {
    await using server = await ServerProcess.start("echo");
    using conn = await server.connect();
    await conn.request("a\x1b secret");
    conn.close();
    // Its log line comes before the answer: the listening thread does one thing after the other.
    while (await server.command("who") !== "Nobody is connected");

    const { code, out, err } = await server.stop();
    const lines = (await server.log()).trimEnd().split("\n")
      .filter((line) => !line.includes(" command "));

    assertEquals([code, out, err], [0, "", ""]);
    const events = [
      "start pid=\\d+ deno=\\S+",
      `listening host=127.0.0.1 port=${server.port}`,
      "client connected conn=1 peer=127.0.0.1:\\d+",
      "data received conn=1 bytes=9",
      "data sent conn=1 bytes=9",
      "client disconnected conn=1 peer=127.0.0.1:\\d+ reason=finished",
      "stop by=SIGTERM",
      "stopped",
    ];
    assertEquals(lines.length, events.length);
    for (const [i, event] of events.entries()) {
      assertMatch(lines[i]!, new RegExp(`^${DATED} INFO echo ${event}$`));
    }
  },
);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  testWith(PROCESSES, `main.ts at ${signal} lets answers and a goodbye arrive`, async () => {
    await using server = await ServerProcess.start("echo");
    using conn = await server.connect();
    for (let i = 0; i < 100; i++) conn.send(`${i}`);
    const first = await conn.receive();

    server.kill(signal);
    const texts = [first, ...await Array.fromAsync(conn)];
    conn.close();
    const { code, out, err } = await server.ended();

    assertEquals(texts.at(-1), "Goodbye: the server stops");
    assertEquals(texts.slice(0, -1), Array.from({ length: texts.length - 1 }, (_, i) => `${i}`));
    assertEquals([code, out, err], [0, "", ""]);
    assertMatch(await server.log(), new RegExp(` stop by=${signal}\n[^]* stopped\n$`));
  });
}

testWith(PROCESSES, "main.ts stops in order where it is told by SIGHUP and SIGTERM", async () => {
  for (const signals of [["SIGHUP", "SIGTERM"], ["SIGTERM", "SIGHUP"]] as const) {
    await using server = await ServerProcess.start("echo");
    using conn = await server.connect();
    await conn.request("a");

    for (const signal of signals) server.kill(signal);
    assertEquals(await conn.receive(), "Goodbye: the server stops");
    conn.close();

    assertEquals((await server.ended()).code, 0);
  }
});

testWith(PROCESSES, "main.ts exits at once at a second signal", async () => {
  await using server = await ServerProcess.start("echo");
  using conn = await server.connect();
  await conn.request("a");

  // The client takes the goodbye but does not leave, so the first signal waits for it.
  server.kill("SIGTERM");
  await conn.receive();
  // Those of the first moments count as the first: deno task repeats what its group gets.
  using _again = server.killAgain("SIGTERM");

  assertEquals((await server.ended()).code, 130);
});

testWith(
  PROCESSES,
  "main.ts says goodbye where deno task repeats the signal to its group",
  async () => {
    await using server = await ServerProcess.start("echo");
    using conn = await server.connect();
    await conn.request("a");

    for (let i = 0; i < 5; i++) {
      server.kill("SIGTERM");
      // One that is still pending would swallow the next.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(await conn.receive(), "Goodbye: the server stops");
    conn.close();

    assertEquals((await server.ended()).code, 0);
  },
);

testWith(PROCESSES, "main.ts ends at SIGTERM although nobody reads its output", async () => {
  await using server = await ServerProcess.start("echo");
  // More than fits into the pipe.
  await server.type("help\n".repeat(1000));
  using conn = await server.connect();
  await conn.request("a");

  server.kill("SIGTERM");

  assertEquals(await conn.receive(), "Goodbye: the server stops");
  conn.close();
  assertEquals((await server.ended()).code, 0);
});

testWith(
  PROCESSES,
  "main.ts lets nobody else into its data folder, also one that was open",
  async () => {
    if (Deno.build.os === "windows") return;
    const data = await Deno.makeTempDir();
    await Deno.chmod(data, 0o755);

    await using server = await ServerProcess.start("echo", [], { data });

    assertEquals((await Deno.stat(server.data)).mode! & 0o777, 0o700);
    await server.stop();
    await Deno.remove(data, { recursive: true });
  },
);

testWith(PROCESSES, "main.ts answers commands from a pipe while clients are served", async () => {
  await using server = await ServerProcess.start("echo");
  using conn = await server.connect();
  await conn.request("a");

  assertStringIncludes(await server.command("status", 5), "connections  1\nmessages     2\n");
  assertMatch(await server.command("who"), /^1 {2}- {2}127\.0\.0\.1:\d+ {2}\d+ s$/);
  assertMatch(await server.command("logs 1"), / INFO echo command command=who$/);
  assertEquals(await server.command("clear-logs"), "The log is empty now");
  assertEquals(await server.command("say hello"), "This server is not a chat");
  assertEquals(await server.command("logs"), "The log is empty");
  assertStringIncludes(await server.command("stpo"), "Did you mean stop?");
  assertStringIncludes(await server.command("__proto__"), "There is no command");
  assertEquals(await server.command("kick 1"), "Ended 1 connection");
  assertEquals(await conn.receive(), "Goodbye: the operator ended the connection");
});

testWith(
  PROCESSES,
  "main.ts ends after stop, whatever lines wait behind it, although its input stays open",
  async () => {
    await using server = await ServerProcess.start("echo");

    await server.type("stop\nwho\nstop\nwho\n");

    assertEquals(await server.ended(), { code: 0, out: "Stopped\n", err: "" });
  },
);

testWith(PROCESSES, "main.ts ends at SIGTERM while a pause and a line behind it wait", async () => {
  await using server = await ServerProcess.start("echo");
  using conn = await server.connect();
  await conn.request("a");
  await server.type("pause\nwho\n");
  assertStringIncludes(`${await conn.receive()}`, "Goodbye: the server pauses");

  // The client does not leave, so the pause waits for it.
  server.kill("SIGTERM");

  const { code, err } = await server.ended();
  assertEquals([code, err], [0, ""]);
});

testWith(PROCESSES, "main.ts serves on after the end of its input", async () => {
  await using server = await ServerProcess.start("echo");
  await server.type("who");
  await server.endInput();

  assertEquals(await server.line(), "Nobody is connected");
  using conn = await server.connect();
  assertEquals(await conn.request("a"), "a");
});

testWith(PROCESSES, "main.ts pauses and resumes on the same port", async () => {
  await using server = await ServerProcess.start("echo");
  using conn = await server.connect();
  await conn.request("a");

  await server.type("pause\n");
  assertStringIncludes((await conn.receive())!, "Goodbye: the server pauses");
  conn.close();
  assertMatch(await server.line(), /^Paused: 1 client asked to come back/);
  const refused = await server.connect().then(() => "connected", (error) => error.name);
  assertEquals(await server.command("resume"), `Listening on 127.0.0.1:${server.port}`);
  using back = await server.connect();

  assertEquals([refused, await back.request("b")], ["ConnectionRefused", "b"]);
});

testWith(
  PROCESSES,
  "main.ts identify knows a client after a restart, until clear-users",
  async () => {
    await using server = await ServerProcess.start("identify");
    using first = await server.connect();
    assertEquals(await first.receive(), "What is your name?");
    assertEquals(await first.request("Anna"), "Nice to meet you, Anna!");
    first.close();
    await server.stop();

    await using restarted = await ServerProcess.start("identify", [], { data: server.data });
    using second = await restarted.connect();
    assertEquals(await second.receive(), "Hello, Anna!");
    assertEquals(await second.request("hello"), "Anna: hello");
    assertMatch(await restarted.command("who"), /^1 {2}Anna /);
    assertEquals(await restarted.command("clear-users"), "Forgot 1 user");
    assertEquals(await second.request("hello"), "What is your name?");
    assertEquals(await second.request("Boris"), "Nice to meet you, Boris!");
    assertEquals(await restarted.command("kick boris"), "Ended 1 connection");
    assertEquals(await second.receive(), "Goodbye: the operator ended the connection");
  },
);

testWith(PROCESSES, "main.ts echo --raw echoes bytes and logs their number", async () => {
  await using server = await ServerProcess.start("echo", ["--raw"]);
  using conn = await Deno.connect({ port: server.port });
  await conn.write(new TextEncoder().encode("hello"));
  const buffer = new Uint8Array(9);
  assertEquals(await conn.read(buffer), 5);

  const stopped = server.stop();
  assertEquals(await conn.read(buffer), null);
  conn.closeWrite();

  assertEquals((await stopped).code, 0);
  assertMatch(await server.log(), /data received conn=1 bytes=5\n.* data sent conn=1 bytes=5\n/);
});

testWith(
  PROCESSES,
  "main.ts auth logs sizes from the login on, not the length of a password",
  async () => {
    await using server = await ServerProcess.start("auth");
    using conn = await server.connect();
    const ask = async (message: Record<string, unknown>) => {
      await conn.send(JSON.stringify(message));
      return JSON.parse(`${await conn.receive()}`).type;
    };

    assertEquals(await ask({ type: "hello", version: 1 }), "hello");
    assertEquals(await ask({ type: "login", name: "Anna", password: "a wrong one" }), "error");
    assertEquals(await server.command("logs data"), "The log has no line with data");
    assertEquals(
      await ask({ type: "register", name: "Anna", password: "correct horse" }),
      "welcome",
    );
    assertEquals(await ask({ type: "ping" }), "pong");

    const { code } = await server.stop();
    assertEquals(code, 0);
    assertMatch(await server.log(), /data received conn=1 bytes=15\n/);
    const audit = await Deno.readTextFile(`${server.data}/logs/auth.audit.log`);
    assertMatch(audit, / login refused .*\n.* client logged in .*\n$/);
  },
);

testWith(PROCESSES, "main.ts refuses more connections than it was told", async () => {
  await using server = await ServerProcess.start("echo", ["--max-connections=1"]);
  using first = await server.connect();
  await first.request("a");
  using second = await FramedConn.connect({ port: server.port });

  assertEquals(await second.receive(), "Goodbye: the server is full, try again later");
});

testWith(PROCESSES, "main.ts exits with 1 and one line when its thread dies", async () => {
  const before = ["--allow-read=tests", "--preload=tests/servers/control/faulty_preload.ts"];
  await using server = await ServerProcess.start("echo", [], { before });
  using conn = await server.connect();
  conn.send("throw");

  const { code, out, err } = await server.ended();

  assertEquals([code, out, err], [1, "", "The server crashed: thrown by a timer\n"]);
  assertMatch(await server.log(), / ERROR echo crashed error="Error: thrown by a timer/);
});
