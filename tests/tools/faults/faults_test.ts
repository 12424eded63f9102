import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { readLines } from "../../../lib/terminal/lines.ts";
import { serve } from "../../../lib/server/server.ts";
import { parseFlags } from "../../../tools/faults/faults.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

const root = new URL("../../../", import.meta.url);

/** The program with the permissions of its task. */
function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.0/8,localhost,[::1]",
      "tools/faults/faults.ts",
      ...args,
    ],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function listeningPort(lines: AsyncIterator<string>): Promise<number> {
  const { value } = await lines.next();
  const match = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(value);
  assert(match, `the first line is ${value}`);
  return Number(match[1]);
}

Deno.test("parseFlags() reads addresses, seed and faults", () => {
  const flags = parseFlags(
    ["--", "--listen", "[::1]:0", "--to", "localhost:9000", "--seed", "5", "--up.cut", "9"],
  );

  assertEquals(flags, {
    proxy: {
      listen: { hostname: "::1", port: 0 },
      to: { hostname: "localhost", port: 9000 },
      seed: 5,
      up: { cutAfterBytes: 9 },
      down: {},
    },
    trace: false,
  });
});

Deno.test("parseFlags() stays on this machine when no host is given", () => {
  assertEquals(parseFlags(["--to", "9090"]), {
    proxy: {
      listen: { hostname: "127.0.0.1", port: 9191 },
      to: { hostname: "127.0.0.1", port: 9090 },
      up: {},
      down: {},
    },
    trace: false,
  });
});

Deno.test("parseFlags() refuses what cannot be right", () => {
  const wrong = [
    [],
    ["--to", "0"],
    ["--to", "here"],
    ["--to", "9", "--listen", "9:9:9"],
    ["--to", "9", "--seed", "x"],
    ["--to", "9", "--seed", "4294967296"],
    ["--to", "9", "--split", "0"],
    ["--to", "9", "--unknown"],
    ["--to", "9", "word"],
  ];
  for (const args of wrong) assertThrows(() => parseFlags(args), Error, undefined, args.join(" "));
});

Deno.test("parseFlags() calls what is wrong by the name of its flag", () => {
  const refusal = (...args: string[]) =>
    assertThrows(() => parseFlags(["--to", "9", ...args]), Error).message;

  assertEquals(refusal("--split", "0"), 'Cannot set split to "0": give a whole number from 1');
  assertEquals(refusal("--split", "-1"), 'Cannot set split to "-1": give a whole number');
  assertEquals(refusal("--flip", "2"), 'Cannot set flip to "2": give a number from 0 to 1');
});

Deno.test("parseFlags() gives the help before it finds anything wrong", () => {
  assert("help" in parseFlags(["--split", "0", "--help"]));
});

testWith(PROCESSES, "faults shows a conversation through it and a summary at the end", async () => {
  await using server = serve(async (conn) => {
    for await (const text of conn) await conn.send(text);
  }, { port: 0 });
  const process = start(
    ...["--listen", "0", "--to", `${server.addr.port}`, "--seed", "3"],
    ...["--trace", "--up.split", "1"],
  );
  const lines = readLines(process.stdout);
  const port = await listeningPort(lines);
  {
    using client = await FramedConn.connect({ hostname: "127.0.0.1", port });
    assertEquals(await client.request("hello"), "hello");
  }
  const input = process.stdin.getWriter();
  await input.write(new TextEncoder().encode("set down.split=2\nquit\n"));

  const shown = (await Array.fromAsync(lines)).join("\n");

  // Standard input is still open: the program does not wait for its end.
  assertEquals((await process.status).code, 0);
  await input.close();
  await process.stderr.cancel();
  assertStringIncludes(shown, `To 127.0.0.1:${server.addr.port}; seed 3; faults: up.split=1`);
  assertMatch(shown, /#1 → 00 00 00 05 {2}5 bytes {2}"hello" {2}in 9 pieces/);
  assertMatch(shown, /#1 ← 00 00 00 05 {2}5 bytes {2}"hello"/);
  assertStringIncludes(shown, "Faults: up.split=1 down.split=2");
  assertMatch(shown, /\nConnections: 1\nClient to server: 9 bytes, 1 frames; .*\n.*\nSeed: 3$/);
});

testWith(
  PROCESSES,
  "faults goes on after the end of its input and ends in order at SIGTERM",
  async () => {
    const process = start("--listen", "0", "--to", "9");
    const lines = readLines(process.stdout);
    const port = await listeningPort(lines);
    await process.stdin.close();
    await lines.next();

    using _client = await Deno.connect({ hostname: "127.0.0.1", port });
    process.kill("SIGTERM");

    assertMatch((await Array.fromAsync(lines)).join("\n"), /^Connections: \d/);
    assertEquals((await process.output()).code, 0);
  },
);

testWith(PROCESSES, "faults says in one line what is wrong with its flags", async () => {
  const process = start("--to", "99999");
  await process.stdin.close();

  const { code, stderr, stdout } = await process.output();

  assertEquals(code, 2);
  assertEquals(stdout.length, 0);
  assertEquals(
    new TextDecoder().decode(stderr),
    'Cannot use "99999" as a port: give a whole number from 1 to 65535\n',
  );
});

testWith(PROCESSES, "faults explains itself", async () => {
  const process = start("--help");
  await process.stdin.close();

  const { code, stdout } = await process.output();

  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /--cut-header FRAME/);
});
