import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { sourceOf } from "../../../client/shared/source.ts";
import { targetOf } from "../../../client/shared/target.ts";
import { invitation } from "../../../servers/web/invitation.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

/** Runs Deno with its own cache, and gives what it printed. */
async function runDeno(cache: string, input: string, ...args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-net", ...args],
    cwd: cache,
    env: { DENO_DIR: cache, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

testWith(
  PROCESSES,
  "deno run HOST:PORT/client, or /client/main.ts, talks to the server that it comes from",
  async () => {
    const cache = await Deno.makeTempDir();
    try {
      await using server = await ServerProcess.start("echo");
      const origin = `http://127.0.0.1:${server.port}`;

      const short = await runDeno(cache, "hello\n", `${origin}/client`);
      const long = await runDeno(cache, "hello\n", `${origin}/client/main.ts`);
      const help = await runDeno(cache, "", `${origin}/client/chat.ts`, "--help");

      assertEquals([short.code, short.out], [0, "hello\n"]);
      assertEquals([long.code, long.out], [0, "hello\n"]);
      assertStringIncludes(help.out, `deno run --allow-net ${origin}/chat [flags]`);
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  },
);

testWith(
  PROCESSES,
  "who and the log show which peer is a browser; --no-web lets none in",
  async () => {
    await using server = await ServerProcess.start("echo");
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`);
    const answers = new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send("hello");
    assertEquals(await answers, "hello");
    await server.type("who\nkick 127.0.0.1\n");
    await closed;
    await server.type("stop\n");
    const { out } = await server.ended();
    const log = await Deno.readTextFile(`${server.data}/logs/echo.log`);

    assertMatch(out, /^1 {2}- {2}127\.0\.0\.1:\d+ {2}\d s {2}websocket$/m);
    assertMatch(log, /client connected conn=1 peer=\S+ protocol=websocket$/m);
    assertMatch(log, /client disconnected conn=1 peer=\S+ reason=kicked$/m);
  },
);

testWith(PROCESSES, "--no-web serves frames only", async () => {
  await using server = await ServerProcess.start("echo", ["--no-web"]);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
  const text = await new Response(conn.readable).text();

  assertStringIncludes(text, "Cannot receive a body of 1195725856 bytes");
});

Deno.test("sourceOf() knows the server that has served a client, and no other site", () => {
  const served = "/v/0123456789abcdef/client/shared/source.ts";

  assertEquals(sourceOf(`http://[::1]:9090${served}`), {
    host: "::1",
    port: 9090,
    tls: false,
    url: "http://[::1]:9090/",
  });
  assertEquals(sourceOf(`https://chat.example${served}`)?.port, 443);
  for (
    const url of [
      `file://${served}`,
      "http://127.0.0.1:8000/client/shared/source.ts",
      "https://site.example/repository/v1/client/shared/source.ts",
    ]
  ) assertEquals(sourceOf(url), undefined);
});

Deno.test("targetOf() takes the server that the client comes from, unless a flag names another", async () => {
  const source = { host: "::1", port: 7, tls: true, url: "https://[::1]:7/" };
  const flags = { host: undefined, port: undefined, tls: false, ca: undefined };

  assertEquals(await targetOf(flags, undefined, source), { host: "::1", port: 7, tls: true });
  assertEquals(await targetOf({ ...flags, host: "127.0.0.2" }, undefined, source), {
    host: "127.0.0.2",
    port: 9090,
    tls: false,
  });
});

Deno.test("invitation() says what a class opens and types", () => {
  const addressOf = (family?: "IPv4" | "IPv6") => family === "IPv4" ? "192.168.1.5" : "fd00::5";

  assertEquals(
    invitation({ name: "chat", host: "0.0.0.0", port: 9090 }, addressOf),
    "In a browser: http://192.168.1.5:9090/\n" +
      "In a terminal: deno run --allow-net http://192.168.1.5:9090/chat",
  );
  assertEquals(
    invitation({ name: "echo", host: "fd00::7", port: 1, cert: "" }, addressOf),
    "In a browser: https://[fd00::7]:1/\n" +
      "In a terminal: deno run --allow-net https://[fd00::7]:1/client",
  );
});
