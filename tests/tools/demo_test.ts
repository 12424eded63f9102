import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import config from "../../deno.json" with { type: "json" };
import { deno } from "../support/deno.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

/** Runs the demo as its task does. */
function runDemo(...flags: string[]) {
  return deno([...config.tasks.demo.command.split(" ").slice(1), ...flags]);
}

testWith(
  PROCESSES,
  "demo shows frames, a pause and the log on 80 columns and 24 rows",
  async () => {
    const { code, out, err } = await runDemo("--fast");
    const lines = out.split("\n");

    assertEquals([code, err], [0, ""]);
    assertLess(lines.length, 24);
    for (const line of lines) assertLess(unicodeWidth(line), 80, line);
    assertMatch(out, /→ 00 00 00 [0-9a-f]{2} {2}\d+ bytes {2}"{"type":"say"/);
    assertMatch(out, /Anna {3}│ \d\d:\d\d {3}Борис: typed during the pause/);
    assertMatch(out, / INFO chat /);
  },
);

testWith(PROCESSES, "demo --help explains it and shows nothing else", async () => {
  const { code, out, err } = await runDemo("--", "--help");

  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "Usage: deno task demo [flags]\n");
  assertEquals(out.includes("──"), false);
});

testWith(PROCESSES, "demo refuses a flag that it does not have", async () => {
  const refusal = 'There is no flag "--nosuch": see --help\n';

  assertEquals(await runDemo("--nosuch"), { code: 2, out: "", err: refusal });
});
