import { assertEquals } from "@std/assert";
import { deno } from "../../support/deno.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

testWith(
  PROCESSES,
  "ChatSession runs without Deno, as in a browser, and without a permission",
  async () => {
    const program = new URL("./no_deno_program.ts", import.meta.url).pathname;
    const flags = ["--quiet", "--no-prompt", "--no-check", "--no-config"];

    const { out, err } = await deno(["run", ...flags, program]);

    assertEquals([out, err], ["hello from a browser\nlogged_out\n", ""]);
  },
);
