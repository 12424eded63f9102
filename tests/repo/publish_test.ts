import { assertEquals } from "@std/assert";
import { deno } from "../support/deno.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { importsOf, targetOf } from "./layers.ts";

const ROOT = new URL("../../", import.meta.url);
const EXPORTS = ["mod.ts", "testing.ts"];
const OTHERS = ["CHANGELOG.md", "LICENSE", "README.md", "deno.json"];

/** The exports, and all that they import. */
async function graph(): Promise<string[]> {
  const reached = new Set(EXPORTS);
  for (const path of reached) {
    const source = await Deno.readTextFile(new URL(path, ROOT));
    for (const { specifier } of importsOf(source)) {
      if (specifier.startsWith(".")) reached.add(targetOf(path, specifier));
    }
  }
  return [...reached];
}

testWith(
  PROCESSES,
  "deno publish takes the exports and their graph, and warns of nothing",
  async () => {
    const { code, out, err } = await deno(["publish", "--dry-run", "--allow-dirty"]);
    const output = `${out}${err}`;
    const files = Array.from(
      output.matchAll(/^ *(file:\S+) \([\d.]+[KM]?B\)$/gm),
      ([, url]) => url!.slice(ROOT.href.length),
    );

    assertEquals(/warning|error/i.exec(output)?.[0], undefined, output);
    assertEquals(code, 0);
    assertEquals(files.sort(), [...await graph(), ...OTHERS].sort());
  },
);

testWith(
  PROCESSES,
  "The documentation of the exports is complete without other modules",
  async () => {
    const { code, err } = await deno(["doc", "--lint", ...EXPORTS]);

    assertEquals(code, 0, err);
  },
);
