import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseServerLine, SERVERS } from "../../../servers/control/config.ts";
import { FLAGS, flagsOf } from "../../../servers/control/flags.ts";

for (const server of SERVERS) {
  Deno.test(`The help of ${server} has a line for each of its flags`, () => {
    const parsed = parseServerLine([server, "--port", "1", "--help"]);
    const help = "help" in parsed ? parsed.help : "";

    assertStringIncludes(help, `Usage: deno task ${server} [flags]\n`);
    for (const [name, { value, default: fallback }] of Object.entries(flagsOf(server))) {
      const shown = value ? `--${name} ${value}` : `--${name}`;
      assertMatch(
        help,
        new RegExp(`^  ${shown} +\\S.*${fallback ? `\\(${fallback}\\)` : ""}$`, "m"),
      );
    }
    assertEquals(help.split("\n").length, Object.keys(flagsOf(server)).length + 3);
  });
}

Deno.test("flagsOf() leaves out what only other servers have", () => {
  const only = (server: string) =>
    Object.keys(flagsOf(server)).filter((name) => FLAGS[name]!.only !== undefined);

  assertEquals(
    [only("echo"), only("identify"), only("chat")],
    [["raw"], [], ["burst", "rate", "keep", "durable"]],
  );
});

Deno.test("flagsOf() gives a server its own defaults", () => {
  assertEquals(flagsOf("chat")["max-per-address"]!.default, "64");
  assertEquals(flagsOf("echo")["max-per-address"]!.default, "2500");
});

Deno.test("Every default passes its own check", () => {
  for (const server of SERVERS) {
    for (const flag of Object.values(flagsOf(server))) {
      if (flag.default !== undefined) flag.check?.(flag.default);
    }
  }
});
