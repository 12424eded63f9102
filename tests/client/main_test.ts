import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
import { serve } from "../../lib/server/server.ts";
import { readLines } from "../../lib/terminal/lines.ts";
import { startChat } from "../support/chat_server.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { onTerminal, ptyTest, STOP_OUTPUT, TERMINATE } from "../support/pty.ts";

const CHECKOUT = new URL("../../", import.meta.url);
const MAIN = new URL("client/main.ts", CHECKOUT).href;
const RUN = ["run", "--no-prompt", "--no-config", "--quiet", "--allow-net"];

async function echo(conn: FramedConn): Promise<void> {
  for await (const text of conn) await conn.send(text);
}

interface Run {
  args: string[];
  input?: string;
  /** The module: a path or URL. */
  main?: string;
  cwd?: string;
  env?: Record<string, string>;
}

/** Runs the client with nothing but network access, and gives what it left. */
async function runClient({ args, input = "", main, ...options }: Run) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...RUN, main ?? MAIN, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Serves the files of the checkout, as `path` for `/path`. */
function serveCheckout(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const source = await Deno.readTextFile(new URL(`.${pathname}`, CHECKOUT));
    return new Response(source, { headers: { "content-type": "text/typescript" } });
  });
}

testWith(PROCESSES, "client/main.ts answers a pipe line by line and exits with 0", async () => {
  await using server = serve(echo);

  const { code, out, err } = await runClient({
    args: ["--port", `${server.addr.port}`],
    input: "a\n\n\uFEFFПривет\t\x1b[2J",
  });

  assertEquals([code, out], [0, "a\n\n\uFEFFПривет\t\x1b[2J\n"]);
  assertStringIncludes(err, `connected to 127.0.0.1:${server.addr.port}\nsent 1 byte\n`);
});

testWith(PROCESSES, "client/main.ts ends at exit although the input goes on", async () => {
  await using server = serve(echo);

  const { code, out } = await runClient({
    args: ["--port", `${server.addr.port}`],
    input: "a\nexit\nb\n",
  });

  assertEquals([code, out], [0, "a\n"]);
});

testWith(
  PROCESSES,
  "client/main.ts refuses a line over 1 MiB, answers the next and exits with 1",
  async () => {
    await using server = serve(echo);

    const { code, out, err } = await runClient({
      args: ["--port", `${server.addr.port}`],
      input: `${"x".repeat(3_000_000)}\nb\n`,
    });

    assertEquals([code, out], [1, "b\n"]);
    assertStringIncludes(err, "not sent: line 1 is over 1048576 bytes\n");
  },
);

testWith(PROCESSES, "client/main.ts exits with 2 and one line for a wrong flag", async () => {
  const { code, out, err } = await runClient({ args: ["--port", "70000"] });

  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^[^\n]*70000[^\n]*\n$/);
});

testWith(
  PROCESSES,
  "client/main.ts sends a line again after the server has come back",
  async () => {
    const server = serve(async (conn) => {
      await conn.receive();
      server.close();
    });
    const { port } = server.addr;
    const restarted = server.finished.then(() => serve(echo, { port, portAttempts: 1 }));

    const { code, out, err } = await runClient({ args: ["--port", `${port}`], input: "a\n" });
    await (await restarted).shutdown();

    assertEquals([code, out], [0, "a\n"]);
    assertStringIncludes(err, "sent again after the reconnect: 1 line\n");
  },
);

testWith(PROCESSES, "client/main.ts escapes what it shows on standard error", async () => {
  await using server = serve((conn) => conn.send("Goodbye: \x1b[2J"));

  const { err } = await runClient({ args: ["--port", `${server.addr.port}`], input: "exit\n" });

  assertStringIncludes(err, "Goodbye: \\x1b[2J\n");
});

testWith(
  PROCESSES,
  "client/main.ts runs by URL from an empty folder with nothing but --allow-net",
  async () => {
    await using server = serve(echo);
    await using checkout = serveCheckout();
    const folder = await Deno.makeTempDir();
    try {
      const { code, out, err } = await runClient({
        main: `http://127.0.0.1:${checkout.addr.port}/client/main.ts`,
        args: ["--port", `${server.addr.port}`],
        input: "a\nb\n",
        cwd: folder,
        env: { DENO_DIR: `${folder}/cache` },
      });

      assertEquals([code, out], [0, "a\nb\n"], err);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith(PROCESSES, "client/main.ts says which client talks to a chat", async () => {
  await using chat = startChat();

  const { port } = chat.server.addr;
  const { code, out, err } = await runClient({ args: ["--port", `${port}`], input: "hello\n" });

  assertEquals([code, out], [1, ""]);
  const command = `deno task chat:client --host 127.0.0.1 --port ${port}\n`;
  assert(err.endsWith(`This is a chat or authentication server: use ${command}`), err);
});

testWith(PROCESSES, "client/main.ts ends where TLS, or none, is the wrong one", async () => {
  await using server = serve(echo, { goodbye: goodbyeText });

  const args = ["--tls", "--port", `${server.addr.port}`];
  const { code, out, err } = await runClient({ args, input: "hello\n" });

  assertEquals([code, out], [1, ""]);
  assertMatch(err, /^no connection to [\d.:]+: the server does not speak TLS: omit --tls\n$/);
});

testWith(
  PROCESSES,
  "client/main.ts comes back for a line after its server ended a silence",
  async () => {
    await using server = serve(echo, { idleTimeoutMs: 50, goodbye: goodbyeText });
    const child = new Deno.Command(Deno.execPath(), {
      args: [...RUN, MAIN, "--port", `${server.addr.port}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const keyboard = child.stdin.getWriter();
    const reports = readLines(child.stderr);
    for await (const line of reports) if (line.includes("when there is a line to send")) break;

    await keyboard.write(new TextEncoder().encode("a\n"));
    await keyboard.close();

    assertEquals(await new Response(child.stdout).text(), "a\n");
    assertEquals((await child.status).code, 0);
  },
);

testWith(PROCESSES, "client/main.ts ends where there is no host of that name", async () => {
  const { code, out, err } = await runClient({ args: ["--host", "nosuch.invalid"], input: "a\n" });

  assertEquals([code, out], [1, ""]);
  assertEquals(err, 'Cannot find the host "nosuch.invalid": check how it is spelled\n');
});

ptyTest("client/main.ts asks again for a host that cannot be found", async () => {
  await using server = serve(echo);
  const shown = await onTerminal(
    [...RUN, MAIN, "--port", `${server.addr.port}`],
    ["Host [", "nosuch.invalid\r"],
    ["Cannot find the host", ""],
    ["Host [", "localhost\r"],
    ["connected to localhost", "exit\r"],
  );

  assertMatch(shown, /code 0 sane\n$/);
});

for (const [where, appears] of [["a question", "Port ["], ["the conversation", "connected"]]) {
  ptyTest(`client/main.ts ends at Ctrl-C in ${where}`, async () => {
    await using server = serve(echo);
    const port = where === "a question" ? [] : ["--port", `${server.addr.port}`];

    const shown = await onTerminal(
      [...RUN, MAIN, ...port],
      ["Host [", "\r"],
      [appears!, "\x03"],
    );

    assertEquals(shown.includes("disconnected: interrupted"), where === "the conversation");
    assertMatch(shown, /code 130 sane\n$/);
  });
}

ptyTest("client/main.ts sends and ends at SIGTERM while its terminal takes no output", async () => {
  const received = { first: Promise.withResolvers(), last: Promise.withResolvers() };
  await using server = serve(async (conn) => {
    for await (const text of conn) {
      await conn.send(text);
      received[text as keyof typeof received].resolve(text);
    }
  });

  const shown = await onTerminal(
    [...RUN, MAIN, "--host", "127.0.0.1", "--port", `${server.addr.port}`],
    ["connected", STOP_OUTPUT],
    ["", "first\r"],
    ["", () => received.first.promise],
    ["", "last\r"],
    ["", () => received.last.promise],
    ["", TERMINATE],
  );

  assertMatch(shown, /code 0 sane\n$/);
});

ptyTest("client/main.ts escapes on a terminal what a server says", async () => {
  await using server = serve(async (conn) => {
    await conn.send("\x1b]0;evil\x07said");
    for await (const _ of conn);
  });
  const shown = await onTerminal(
    [...RUN, MAIN, "--host", "127.0.0.1", "--port", `${server.addr.port}`],
    ["said", "exit\r"],
  );

  assert(!shown.includes("\x1b]0;"));
  assertStringIncludes(shown, "\\x1b]0;evil\\x07said");
});
