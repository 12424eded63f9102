import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { PROCESSES, testWith } from "../support/permissions.ts";

/** Runs the demo as its task does. */
async function runDemo(...flags: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...config.tasks.demo.command.split(" ").slice(1), ...flags],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

testWith(PROCESSES, "demo --help explains it and shows nothing else", async () => {
  const { code, out, err } = await runDemo("--", "--help");

  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "Usage: deno task demo\n");
  assertEquals(out.includes("──"), false);
});

testWith(PROCESSES, "demo refuses a flag that it does not have", async () => {
  const refusal = 'Cannot use "--nosuch": the demo takes no flags but --help\n';

  assertEquals(await runDemo("--nosuch"), { code: 2, out: "", err: refusal });
});
