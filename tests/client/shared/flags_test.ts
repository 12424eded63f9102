import { assertEquals, assertThrows } from "@std/assert";
import { FlagError, parseFlags } from "../../../client/shared/flags.ts";

Deno.test("parseFlags() gives what was given and no more", () => {
  assertEquals(parseFlags([]), { tls: false, help: false });
  assertEquals(
    parseFlags(["--host", "example.org", "--port=65535", "--tls", "--ca", "ca.pem", "-h"]),
    { host: "example.org", port: 65535, tls: true, ca: "ca.pem", help: true },
  );
});

Deno.test("parseFlags() passes over the -- between a task and its flags", () => {
  assertEquals(parseFlags(["--", "--port", "1"]).port, 1);
});

Deno.test("parseFlags() takes an IPv6 address", () => {
  assertEquals(parseFlags(["--host", "::1"]).host, "::1");
});

const WRONG: [string[], string][] = [
  [["--port", "0"], '"0"'],
  [["--port", "65536"], "65536"],
  [["--port", "abc"], "abc"],
  [["--port", "9090.5"], "9090.5"],
  [["--port="], "port"],
  [["--port"], "--port"],
  [["--host="], "host"],
  [["--host", "a b"], "a b"],
  [["--hots", "a"], 'There is no flag "--hots": did you mean --host?'],
  [["--zzzz"], 'There is no flag "--zzzz": see --help'],
  [["--__proto__"], "There is no flag"],
  [["--port", "-5"], 'Cannot use "-5" as a port: give a whole number from 1 to 65535'],
  [["--host", "--port", "1"], "Cannot use --host without a value"],
  [["--tls=yes"], "Cannot give --tls a value: it is a switch"],
  [["9090"], 'Cannot use "9090": flags begin with --'],
  [["--ca", "ca.pem"], "--ca"],
];

for (const [args, mentioned] of WRONG) {
  Deno.test(`parseFlags() refuses ${JSON.stringify(args)} and names what is wrong`, () => {
    assertThrows(() => parseFlags(args), FlagError, mentioned);
  });
}
