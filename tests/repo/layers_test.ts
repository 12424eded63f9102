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

  assertEquals(
    importsOf(source).map(({ specifier }) => specifier).sort(),
    [
      "./a.ts",
      "./b.ts",
      "./c.ts",
      "./e.ts",
      "./f.ts",
      "./g.ts",
      "./h.ts",
      "./i.ts",
      "./j.json",
      "./k.ts",
      "@std/d",
    ],
  );
});

const BROKEN: [rule: string, files: Record<string, string>, violation: string][] = [
  [
    "base is the lowest layer",
    { "lib/base/a.ts": `import "../frame/b.ts";` },
    "lib/base/a.ts imports lib/frame/b.ts",
  ],
  [
    "frame stands on base",
    { "lib/frame/a.ts": `import "../conn/b.ts";` },
    "lib/frame/a.ts imports lib/conn/b.ts",
  ],
  [
    "conn stands on frame",
    { "lib/conn/a.ts": `import type { B } from "../server/b.ts";` },
    "lib/conn/a.ts imports lib/server/b.ts",
  ],
  [
    "server stands on conn",
    { "lib/server/a.ts": `export * from "../chat/b.ts";` },
    "lib/server/a.ts imports lib/chat/b.ts",
  ],
  ...["chat", "store", "log", "terminal", "faults"].map((folder): typeof BROKEN[number] => [
    `lib/${folder} never stands on servers`,
    { [`lib/${folder}/a.ts`]: `await import("../../servers/b.ts");` },
    `lib/${folder}/a.ts imports servers/b.ts`,
  ]),
  [
    "lib never stands on tools",
    { "lib/log/a.ts": `import "../../tools/b.ts";` },
    "lib/log/a.ts imports tools/b.ts",
  ],
  [
    "servers never stand on clients",
    { "servers/a.ts": `import "../client/b.ts";` },
    "servers/a.ts imports client/b.ts",
  ],
  [
    "servers never stand on tools",
    { "servers/control/a.ts": `import "../../tools/b.ts";` },
    "servers/control/a.ts imports tools/b.ts",
  ],
  ["clients never stand on servers", {
    "client/shared/a.ts": `new Worker(new URL("../../servers/b.ts", import.meta.url));`,
  }, "client/shared/a.ts imports servers/b.ts"],
  [
    "the line client is apart",
    { "client/line/a.ts": `import "../chat/b.ts";` },
    "client/line/a.ts imports client/chat/b.ts",
  ],
  [
    "the chat client is apart",
    { "client/chat/a.ts": `import "../line/b.ts";` },
    "client/chat/a.ts imports client/line/b.ts",
  ],
  [
    "shared parts know no client",
    { "client/shared/a.ts": `import "../chat/b.ts";` },
    "client/shared/a.ts imports client/chat/b.ts",
  ],
  [
    "client/main.ts is the line client",
    { "client/main.ts": `import "./chat/b.ts";` },
    "client/main.ts imports client/chat/b.ts",
  ],
  [
    "client/chat.ts is the chat client",
    { "client/chat.ts": `import "./line/b.ts";` },
    "client/chat.ts imports client/line/b.ts",
  ],
  ["every file has a layer", { "client/a.ts": "" }, "client/a.ts belongs to no layer"],
  [
    "tools never stand on tests",
    { "tools/a/b.ts": `import "../../tests/c.ts";` },
    "tools/a/b.ts imports tests/c.ts",
  ],
  [
    "the offline subset stands alone",
    { "tools/std/a.ts": `import "../../lib/base/b.ts";` },
    "tools/std/a.ts imports lib/base/b.ts",
  ],
  [
    "mod.ts is for other projects",
    { "tools/a/b.ts": `import "../../mod.ts";` },
    "tools/a/b.ts imports mod.ts",
  ],
  [
    "testing.ts is for other projects",
    { "lib/faults/a.ts": `import "../../testing.ts";` },
    "lib/faults/a.ts imports testing.ts",
  ],
  [
    "mod.ts stands on lib",
    { "mod.ts": `export * from "./servers/a.ts";` },
    "mod.ts imports servers/a.ts",
  ],
  [
    "by URL, no import map",
    { "client/main.ts": `import "@std/cli";` },
    "client/main.ts runs by URL and imports @std/cli",
  ],
  ["by URL, no import map below", {
    "mod.ts": `import "./lib/log/a.ts";`,
    "lib/log/a.ts": `import "@std/log";`,
  }, "lib/log/a.ts runs by URL and imports @std/log"],
  [
    "std and node: only",
    { "servers/a.ts": `import "npm:left-pad";` },
    "servers/a.ts imports npm:left-pad",
  ],
  ["no cycles", {
    "servers/a.ts": `import "./b.ts";`,
    "servers/b.ts": `import "./c.ts";`,
    "servers/c.ts": `import "./a.ts";`,
  }, "servers/a.ts, servers/b.ts, servers/c.ts import one another"],
  ["no cycles of types", {
    "tools/a.ts": `import type { B } from "./b.ts";`,
    "tools/b.ts": `import { a } from "./a.ts";`,
  }, "tools/a.ts, tools/b.ts import one another"],
  [
    "at most 14 files a folder",
    Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`tests/lib/${i}.ts`, ""])),
    "tests/lib has over 14 files",
  ],
  [
    "at most 250 lines a file",
    { "lib/base/a.ts": "a;\n".repeat(251) },
    "lib/base/a.ts has over 250 lines",
  ],
  [
    "at most 400 lines a test",
    { "tests/a_test.ts": "a;\n".repeat(401) },
    "tests/a_test.ts has over 400 lines",
  ],
];

for (const [rule, files, violation] of BROKEN) {
  Deno.test(`violations() finds what breaks a rule: ${rule}`, () => {
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
    for (
      const name of [
        "control/control_thread",
        "identification",
        "authentication",
        "threads",
        "chat",
      ]
    ) assert(!loaded.has(`servers/${name}.ts`), name);
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
