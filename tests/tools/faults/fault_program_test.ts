import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { readLines } from "../../../lib/terminal/lines.ts";
import { serve } from "../../../lib/server/server.ts";
import { parseFlags } from "../../../servers/control/command_line.ts";
import {
  type FaultFlags,
  FAULTS_PROGRAM,
  settingsOf,
} from "../../../tools/faults/fault_program.ts";
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
      "tools/faults/fault_program.ts",
      ...args,
    ],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function settings(...args: string[]): FaultFlags {
  const line = parseFlags(args, FAULTS_PROGRAM);
  assert("values" in line);
  return settingsOf(line.values);
}

async function listeningPort(lines: AsyncIterator<string>): Promise<number> {
  const { value } = await lines.next();
  const match = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(value);
  assert(match, `the first line is ${value}`);
  return Number(match[1]);
}

Deno.test("faults reads addresses, seed and faults from its flags", () => {
  const flags = settings(
    ...["--", "--listen", "[::1]:0", "--to", "localhost:9000", "--seed", "5", "--up.cut", "9"],
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

Deno.test("faults stays on this machine when no host is given", () => {
  assertEquals(settings("--to", "9090", "--trace"), {
    proxy: {
      listen: { hostname: "127.0.0.1", port: 9191 },
      to: { hostname: "127.0.0.1", port: 9090 },
      up: {},
      down: {},
    },
    trace: true,
  });
});

Deno.test("faults refuses flags that cannot be right, by their names", () => {
  const refusal = (...args: string[]) => assertThrows(() => settings(...args), Error).message;

  assertMatch(refusal(), /--to 127/);
  assertMatch(refusal("--to", "here"), /--to "here"/);
  assertMatch(refusal("--to", "99999"), /--to "99999": give a whole number from 1 to 65535/);
  assertMatch(refusal("--to", "9", "--listen", "9:9:9"), /--listen "9:9:9"/);
  assertMatch(refusal("--to", "9", "--seed", "4294967296"), /--seed "4294967296"/);
  assertMatch(refusal("--to", "9", "--unknown"), /--unknown/);
  assertMatch(refusal("--to", "9", "word"), /word/);
  assertEquals(
    refusal("--to", "9", "--split", "0"),
    'Cannot use --split "0": give a whole number from 1',
  );
  assertEquals(
    refusal("--to", "9", "--up.split", "-1"),
    'Cannot use --up.split "-1": give a whole number',
  );
  assertEquals(
    refusal("--to", "9", "--flip", "2"),
    'Cannot use --flip "2": give a number from 0 to 1',
  );
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

testWith(PROCESSES, "faults explains itself", async () => {
  const process = start("--help");
  await process.stdin.close();

  const { code, stdout } = await process.output();

  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /--cut-header FRAME/);
  assertEquals(new TextDecoder().decode(stdout).includes("--up.cut"), false);
});
