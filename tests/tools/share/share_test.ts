import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { commandLine, explanation } from "../../../tools/share/share.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

/** Starts `share` on loopback with the permissions of its task. */
function startShare(...args: string[]): Deno.ChildProcess {
  const permissions = ["--allow-net", "--allow-read=client,lib", "--allow-sys=networkInterfaces"];
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      ...permissions,
      "tools/share/share.ts",
      "--host",
      "127.0.0.1",
      ...args,
    ],
    cwd: new URL("../../../", import.meta.url),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The first line of `stream`, and the rest once it has ended. */
async function firstLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<[string, Promise<string>]> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  const rest = async () => {
    let rest = text.slice(text.indexOf("\n") + 1);
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    return rest;
  };
  return [text.split("\n")[0]!, rest()];
}

Deno.test("commandLine() is what a classmate types", () => {
  assertEquals(
    commandLine("192.168.1.5", 8000),
    "deno run --allow-net http://192.168.1.5:8000/client/main.ts --host 192.168.1.5",
  );
});

Deno.test("commandLine() puts an IPv6 address into brackets where a URL needs them", () => {
  assertEquals(
    commandLine("fd00::5", 8000),
    "deno run --allow-net http://[fd00::5]:8000/client/main.ts --host fd00::5",
  );
});

Deno.test("explanation() names a host that the servers' tasks may listen on", () => {
  assert(explanation(9, "192.168.1.5").endsWith(" with --host 0.0.0.0."));
  assert(explanation(9, "fd00::5").endsWith(" with --host ::."));
  assert(!explanation(9, "127.0.0.1").includes("--host"));
});

Deno.test("explanation() tells who can reach it", () => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    assertStringIncludes(explanation(9, host), "to this machine only;");
  }
  assertStringIncludes(explanation(9, "192.168.1.5"), "to everyone on this network;");
});

Deno.test("explanation() tells which client the chat needs", () => {
  assertStringIncludes(
    explanation(9, "192.168.1.5"),
    "For chat and auth the line has client/chat.ts",
  );
});

testWith(
  PROCESSES,
  "share prints one line, which serves a client that runs, and ends at Ctrl-C with 0",
  async () => {
    const child = startShare("--port", "0");
    const [line, rest] = await firstLine(child.stdout);
    assertMatch(
      line,
      /^deno run --allow-net http:\/\/127\.0\.0\.1:\d+\/client\/main\.ts --host 127\.0\.0\.1$/,
    );
    const cache = await Deno.makeTempDir();

    const client = await new Deno.Command(Deno.execPath(), {
      args: [...line.split(" ").slice(1), "--help"],
      cwd: cache,
      env: { DENO_DIR: cache, DENO_NO_PROMPT: "1" },
    }).output();
    child.kill("SIGINT");
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    await Deno.remove(cache, { recursive: true });

    assertStringIncludes(new TextDecoder().decode(client.stdout), "--host HOST");
    assertEquals([client.code, code, await rest], [0, 0, ""]);
    assertStringIncludes(stderr, "to this machine only");
  },
);

testWith(PROCESSES, "share moves to the next free port", async () => {
  using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const child = startShare("--port", `${busy.addr.port}`);
  const [line, rest] = await firstLine(child.stdout);
  child.kill("SIGINT");
  await Promise.all([child.status, child.stderr.cancel(), rest]);

  const port = Number(/:(\d+)\//.exec(line)?.[1]);

  assert(port > busy.addr.port);
});

testWith(PROCESSES, "share prints nothing of what an HTTP peer sends", async () => {
  const child = startShare("--port", "0");
  const [line, rest] = await firstLine(child.stdout);
  const port = Number(/:(\d+)\//.exec(line)?.[1]);
  const heads = ["a b[", "x[\x9b2J", "x[\x1b[2J", "[\u202e", "x[\x9b2J", "a:b:c", "x\xff"]
    .map((host) => `GET /\x9b31m HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  for (const head of [...heads, "GET http://a[b/\x1b HTTP/1.1\r\n\r\n", "\x1b]0;x\x07\r\n\r\n"]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(new TextEncoder().encode(head));
    assertMatch(await new Response(conn.readable).text(), /^HTTP\/1\.1 40[04] /);
  }
  child.kill("SIGINT");
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);

  assertEquals([code, await rest], [0, ""]);
  assertMatch(stderr, /^Serving [^\n]*\n$/);
});

testWith(PROCESSES, "share refuses a port that cannot be with one line and 2", async () => {
  const { code, stdout, stderr } = await startShare("--port", "70000").output();

  assertEquals([code, stdout.length], [2, 0]);
  assertMatch(new TextDecoder().decode(stderr), /^[^\n]*70000[^\n]*\n$/);
});
