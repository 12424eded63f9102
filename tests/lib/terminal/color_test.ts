import { assertEquals, assertNotEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { nameStyle, painter, wantsColor } from "../../../lib/terminal/color.ts";
import { deno } from "../../support/deno.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

Deno.test("painter() dresses a text, or leaves it alone", () => {
  assertEquals(painter(true)("hi", "bold", "red"), "\x1b[1;31mhi\x1b[0m");
  assertEquals(painter(true)("hi"), "hi");
  assertEquals(painter(false)("hi", "bold"), "hi");
});

Deno.test("nameStyle() gives one colour to all spellings of a name", () => {
  assertEquals(nameStyle("Zoe\u0308"), nameStyle("ZO\u00cb"));
  assertNotEquals(new Set(["anna", "bob", "eve", "zoe"].map(nameStyle)).size, 1);
});

Deno.test("wantsColor() is false where no terminal is", () => {
  using _pipe = stub(Deno.stdout, "isTerminal", () => false);

  assertEquals(wantsColor(), false);
});

testWith(
  PROCESSES,
  "wantsColor() obeys NO_COLOR without a permission, and TERM with one",
  async () => {
    const ask = async (env: Record<string, string>, ...flags: string[]) => {
      const url = new URL("../../../lib/terminal/color.ts", import.meta.url);
      const code = `import { wantsColor } from "${url}";
        Deno.stdout.isTerminal = () => true;
        console.log(wantsColor());`;
      const args = [
        "run",
        "--no-prompt",
        ...flags,
        `data:application/typescript,${encodeURIComponent(code)}`,
      ];
      return (await deno(args, { env })).out.trim();
    };

    assertEquals(await ask({ NO_COLOR: "1", TERM: "xterm" }), "false");
    assertEquals(await ask({ NO_COLOR: "", TERM: "dumb" }), "true");
    assertEquals(await ask({ NO_COLOR: "", TERM: "dumb" }, "--allow-env=TERM"), "false");
  },
);
