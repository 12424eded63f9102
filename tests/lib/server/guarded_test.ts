import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { turns } from "../../support/turns.ts";
import { guarded, printError } from "../../../lib/server/guarded.ts";

/** Collects the first line of what is printed as an error meanwhile. */
function printed() {
  const lines: string[] = [];
  const printing = stub(console, "error", (text: string) => void lines.push(text.split("\n")[0]!));
  return { lines, [Symbol.dispose]: () => printing.restore() };
}

Deno.test("guarded() passes arguments and result through", () => {
  const add = guarded("add", (a: number, b: number) => a + b);

  assertEquals(add(2, 3), 5);
});

Deno.test("guarded() prints what the callback throws, and what its promise rejects with", async () => {
  using out = printed();

  const result = guarded("onEvent", () => {
    throw new Error("no");
  })();
  guarded("goodbye", () => Promise.reject(new Error("later")))();
  await turns();

  assertEquals(result, undefined);
  assertEquals(out.lines, ["onEvent threw: Error: no", "goodbye threw: Error: later"]);
});

Deno.test("guarded() prints a callback that always throws once a second at most", () => {
  using out = printed();
  const call = guarded("onEvent", () => {
    throw "again";
  });

  for (let i = 0; i < 3; i++) call();

  assertEquals(out.lines, ["onEvent threw: again"]);
});

Deno.test("printError() escapes what a terminal would obey", () => {
  using out = printed();

  printError("A handler threw", new Error("\x1b[2J"));

  assertEquals(out.lines, ["A handler threw: Error: \\x1b[2J"]);
});
