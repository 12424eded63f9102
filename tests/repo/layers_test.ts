import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FILES, testWith } from "../support/permissions.ts";
import { importsOf, type Sources, targetOf, violations } from "./layers.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["lib", "servers", "client", "tools", "tests"];

async function readSources(): Promise<Sources> {
  const sources: Sources = new Map();
  async function add(folder: string): Promise<void> {
    for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      const path = `${folder}/${name}`;
      if (isDirectory) await add(path);
      if (isFile && name.endsWith(".ts")) {
        sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
      }
    }
  }
  for (const folder of FOLDERS) await add(folder);
  for (const path of ["mod.ts", "testing.ts"]) {
    sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  return sources;
}

/** The files that `entry` loads, with those of its Workers: imports of types are left out. */
function loadedBy(entry: string, sources: Sources, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const code = sources.get(entry)!
    .replace(/^(import|export) type [^;]*;/gm, "")
    .replace(/\btypeof import\("[^"]*"\)/g, "");
  for (const { specifier } of importsOf(code)) {
    const target = targetOf(entry, specifier);
    if (sources.has(target)) loadedBy(target, sources, seen);
  }
  return seen;
}

Deno.test("importsOf() sees every way to import", () => {
  const source = `import { a } from "./a.ts";\nimport "./b.ts";\nexport * from "./c.ts";
export {\n  d,\n} from "@std/d";\nawait import("./e.ts");\nnew Worker(new URL("./f.ts", import.meta.url));
import type { G } from "./g.ts";\nlet h: import("./h.ts").H;\nimport.meta.resolve("./i.ts");
import json from "./j.json" with { type: "json" };\nawait import(\n  "./k.ts"\n);
/** import { x } from "./x.ts" */\n// import "./y.ts"`;

  const found = importsOf(source).map(({ specifier }) => specifier).sort();
  const expected = [..."abcefghi"].map((letter) => `./${letter}.ts`);
  assertEquals(found, [...expected, "./j.json", "./k.ts", "@std/d"]);
});

const FORBIDDEN = `
  lib/base/a.ts      lib/frame/b.ts
  lib/frame/a.ts     lib/conn/b.ts
  lib/conn/a.ts      lib/server/b.ts
  lib/server/a.ts    lib/chat/b.ts
  lib/chat/a.ts      servers/b.ts
  lib/store/a.ts     servers/b.ts
  lib/log/a.ts       servers/b.ts
  lib/terminal/a.ts  servers/b.ts
  lib/faults/a.ts    servers/b.ts
  lib/log/a.ts       tools/b.ts
  servers/a.ts       client/b.ts
  servers/control/a.ts  tools/b.ts
  client/shared/a.ts    servers/b.ts
  client/line/a.ts      client/chat/b.ts
  client/chat/a.ts      client/line/b.ts
  client/shared/a.ts    client/chat/b.ts
  client/main.ts        client/chat/b.ts
  client/chat.ts        client/line/b.ts
  tools/a/b.ts          tests/c.ts
  tools/std/a.ts        lib/base/b.ts
  tools/a/b.ts          mod.ts
  lib/faults/a.ts       testing.ts
  mod.ts                servers/a.ts
  servers/a.ts          npm:left-pad
`.trim().split("\n").map((line) => line.trim().split(/\s+/) as [string, string]);

for (const [importer, imported] of FORBIDDEN) {
  Deno.test(`violations() finds that ${importer} imports ${imported}`, () => {
    const up = importer.split("/").slice(1).map(() => "../").join("") || "./";
    const specifier = imported.includes(":") ? imported : up + imported;

    const found = violations(new Map([[importer, `import type { A } from "${specifier}";`]]));

    assertEquals(found, [`${importer} imports ${imported}`]);
  });
}

const BROKEN: [files: Record<string, string>, violation: string][] = [
  [{ "client/a.ts": "" }, "client/a.ts belongs to no layer"],
  [
    { "client/main.ts": `import "@std/cli";` },
    "client/main.ts runs by URL and imports @std/cli",
  ],
  [
    { "mod.ts": `import "./lib/log/a.ts";`, "lib/log/a.ts": `import "@std/log";` },
    "lib/log/a.ts runs by URL and imports @std/log",
  ],
  [{
    "servers/a.ts": `import "./b.ts";`,
    "servers/b.ts": `import "./c.ts";`,
    "servers/c.ts": `import "./a.ts";`,
  }, "servers/a.ts, servers/b.ts, servers/c.ts import one another"],
  [{
    "tools/a.ts": `import type { B } from "./b.ts";`,
    "tools/b.ts": `import { a } from "./a.ts";`,
  }, "tools/a.ts, tools/b.ts import one another"],
  [
    Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`tests/lib/${i}.ts`, ""])),
    "tests/lib has over 14 files",
  ],
  [{ "lib/base/a.ts": "a;\n".repeat(251) }, "lib/base/a.ts has over 250 lines"],
  [{ "tests/a_test.ts": "a;\n".repeat(401) }, "tests/a_test.ts has over 400 lines"],
];

for (const [files, violation] of BROKEN) {
  Deno.test(`violations() finds that ${violation}`, () => {
    assertEquals(violations(new Map(Object.entries(files))), [violation]);
  });
}

Deno.test("violations() finds nothing where every rule is kept", () => {
  const sources = new Map(Object.entries({
    "lib/base/a.ts": "a;\n".repeat(250),
    "lib/conn/b.ts": `import "../base/a.ts";\nimport "node:net";`,
    "lib/store/c.ts": `import "../conn/b.ts";`,
    "servers/d.ts": `import "../lib/store/c.ts";\nimport "@std/log";`,
    "client/main.ts": `import "../lib/store/c.ts";\nimport "./line/e.ts";`,
    "client/line/e.ts": "",
    "tools/f/g.ts": `import "../../servers/d.ts";\nimport "../../client/line/e.ts";`,
    "tests/h_test.ts": `import "../mod.ts";\nimport "../tools/f/g.ts";` + "\n".repeat(399),
    "mod.ts": `export * from "./lib/conn/b.ts";`,
  }));

  assertEquals(violations(sources), []);
});

testWith(FILES, "Every file keeps the rules of the layers", async () => {
  const sources = await readSources();
  for (const folder of FOLDERS) {
    assertNotEquals([...sources.keys()].filter((path) => path.startsWith(`${folder}/`)), []);
  }

  assertEquals(violations(sources), []);
});

testWith(
  FILES,
  "A listening thread begins before the control thread and the exercises load",
  async () => {
    const loaded = loadedBy("servers/main.ts", await readSources());

    assert(loaded.has("servers/control/worker.ts"));
    const late = "control/control_thread identification authentication threads chat".split(" ");
    for (const name of late) assert(!loaded.has(`servers/${name}.ts`), name);
  },
);

testWith(FILES, "lib/ writes to the console only errors that nothing else would show", async () => {
  for (const [path, source] of await readSources()) {
    if (!path.startsWith("lib/")) continue;
    const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/\/\/.*$/gm, "");
    const calls = code.match(/\bconsole\.\w+/g) ?? [];

    assertEquals(
      calls.filter((call) => !(path === "lib/server/guarded.ts" && call === "console.error")),
      [],
      path,
    );
  }
});
