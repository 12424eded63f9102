import { assertEquals, assertLessOrEqual, assertStringIncludes, assertThrows } from "@std/assert";
import { FlagError, parseFlags, usage } from "../../../client/shared/client_program.ts";
import { TARGET_FLAGS } from "../../../client/shared/target.ts";

const FLAGS = { ...TARGET_FLAGS, help: { help: "", short: "h" } };

Deno.test("parseFlags() gives what was given, and the last of several", () => {
  const nothing = { host: undefined, port: undefined, tls: false, ca: undefined, help: false };
  const line = "-- --host example.org --port=65535 --port=1 --tls --ca ca.pem -h";

  assertEquals(parseFlags([], FLAGS), nothing);
  assertEquals(
    parseFlags(line.split(" "), FLAGS),
    { host: "example.org", port: 1, tls: true, ca: "ca.pem", help: true },
  );
  assertEquals(parseFlags(["--host", "::1"], FLAGS).host, "::1");
});

const WRONG: [string[], string][] = [
  [["--port", "0"], '"0"'],
  [["--port", "65536"], "65536"],
  [["--port", "9090.5"], "9090.5"],
  [["--port="], "port"],
  [["--port"], "--port"],
  [["--host="], "host"],
  [["--host", "a b"], "a b"],
  [["--hots", "a"], 'There is no flag "--hots": did you mean --host?'],
  [["--zzzz"], 'There is no flag "--zzzz": see --help'],
  [["--__proto__"], "There is no flag"],
  [["--constructor", "x"], "There is no flag"],
  [["-x"], 'There is no flag "-x"'],
  [["--port", "-5"], 'Cannot use "-5" as a port: give a whole number from 1 to 65535'],
  [["--host", "--port", "1"], "Cannot use --host without a value"],
  [["--tls=yes"], "Cannot give --tls a value: it is a switch"],
  [["9090"], 'Cannot use "9090": flags begin with --'],
];

for (const [args, mentioned] of WRONG) {
  Deno.test(`parseFlags() refuses ${JSON.stringify(args)} and names what is wrong`, () => {
    assertThrows(() => parseFlags(args, FLAGS), FlagError, mentioned);
  });
}

for (const columns of [40, 80, 200]) {
  Deno.test(`usage() breaks no word and fills no row at ${columns} columns`, () => {
    const notes = ["A note of several words, ".repeat(9)];
    const program = { command: "deno task x", about: "Does x.", flags: TARGET_FLAGS, notes };

    const text = usage(program, columns);

    for (const row of text.split("\n")) assertLessOrEqual(row.length, Math.min(columns, 80));
    assertEquals(text.split(/\s+/), usage(program, 80).split(/\s+/));
    assertStringIncludes(text, "Usage: deno task x [flags]\n\n  --host HOST  ");
    assertStringIncludes(text, "\n  --help       show this\n");
  });
}
