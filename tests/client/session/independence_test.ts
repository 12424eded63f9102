import { assertEquals } from "@std/assert";
import { PROCESSES, testWith } from "../../support/permissions.ts";

testWith(
  PROCESSES,
  "ChatSession runs without Deno, as in a browser, and without a permission",
  async () => {
    const program = new URL("./no_deno_program.ts", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", "--no-config", program],
    }).output();

    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals([out, err], ["hello from a browser\nlogged_out\n", ""]);
  },
);
