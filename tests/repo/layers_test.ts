import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FILES, testWith } from "../support/permissions.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["lib", "servers", "client"];
const MAY_IMPORT: Record<string, string[]> = {
  lib: ["lib"],
  servers: ["lib", "servers"],
  client: ["lib", "client"],
};

/** What a module imports, by name: static imports, re-exports, dynamic imports and workers. */
function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const patterns = [
    /(?:^|\n)\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"/g,
    /(?:^|\n)\s*import\s*"([^"]+)"/g,
    /\bimport\(\s*"([^"]+)"/g,
    /new URL\(\s*"(\.[^"]+\.ts)"/g,
  ];
  return patterns.flatMap((pattern) => Array.from(code.matchAll(pattern), (match) => match[1]!));
}

/** The imports of a module that its folder may not have. */
function trespasses(path: string, source: string): string[] {
  const allowed = MAY_IMPORT[path.split("/")[0]!]!;
  return importsOf(source).filter((name) => name.startsWith(".")).filter((name) => {
    const target = new URL(name, `file:///${path}`).pathname.slice(1);
    return !allowed.includes(target.split("/")[0]!);
  });
}

/** The imports that need an import map. */
function bareImports(source: string): string[] {
  return importsOf(source).filter((name) => !/^(\.{1,2}\/|node:)/.test(name));
}

async function modules(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) paths.push(...await modules(`${folder}/${name}`));
    if (isFile && name.endsWith(".ts")) paths.push(`${folder}/${name}`);
  }
  return paths.sort();
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** All modules that `entry` reaches. */
async function graphOf(
  entry: string,
  seen = new Set<string>(),
  imports = importsOf,
): Promise<Set<string>> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const name of imports(await read(entry))) {
    if (name.startsWith(".")) {
      await graphOf(new URL(name, `file:///${entry}`).pathname.slice(1), seen, imports);
    }
  }
  return seen;
}

/** The imports that Deno loads before a module runs: those of types leave nothing to load. */
function loadedImports(source: string): string[] {
  return importsOf(
    source.replace(/^import type [^;]*;/gm, "").replace(/\btypeof import\("[^"]*"\)/g, ""),
  );
}

Deno.test("importsOf() sees every way to import", () => {
  const source = `import { a } from "./a.ts";\nimport "./b.ts";\nexport * from "./c.ts";
export {\n  d,\n} from "@std/d";\nawait import("./e.ts");\nnew Worker(new URL("./f.ts", import.meta.url));
/** import { x } from "./x.ts" */\n// import "./y.ts"`;

  assertEquals(importsOf(source).sort(), [
    "./a.ts",
    "./b.ts",
    "./c.ts",
    "./e.ts",
    "./f.ts",
    "@std/d",
  ]);
});

Deno.test("trespasses() bites", () => {
  assertEquals(trespasses("lib/a.ts", `import "../servers/b.ts";`), ["../servers/b.ts"]);
  assertEquals(trespasses("client/a.ts", `import "../servers/b.ts";`), ["../servers/b.ts"]);
  assertEquals(trespasses("servers/a.ts", `import "../client/b.ts";`), ["../client/b.ts"]);
  assertEquals(trespasses("servers/a.ts", `import "../../mod.ts";`), ["../../mod.ts"]);
  assertEquals(trespasses("servers/a.ts", `import "../lib/b.ts";\nimport "./c.ts";`), []);
  assertEquals(bareImports(`import "@std/log";\nimport "node:net";\nimport "./a.ts";`), [
    "@std/log",
  ]);
});

testWith(FILES, "Modules import only from the folders they may", async () => {
  for (const folder of FOLDERS) {
    const paths = await modules(folder);
    assertNotEquals(paths, []);
    for (const path of paths) assertEquals(trespasses(path, await read(path)), [], path);
  }
});

testWith(FILES, "What runs by URL needs no import map", async () => {
  const entries = ["mod.ts", "testing.ts", ...await modules("client")];
  const graph = new Set<string>();
  for (const entry of entries) await graphOf(entry, graph);

  for (const path of graph) assertEquals(bareImports(await read(path)), [], path);
});

Deno.test("loadedImports() leaves out what is imported for its types", () => {
  const source = `import type { A } from "./a.ts";\nimport type {\n  B,\n} from "./b.ts";
import { type C, d } from "./c.ts";\nconst e: typeof import("./e.ts") = await import(E);
await import("./f.ts");`;

  assertEquals(loadedImports(source), ["./c.ts", "./f.ts"]);
});

testWith(
  FILES,
  "A listening thread begins before the control thread and the exercises load",
  async () => {
    const graph = await graphOf("servers/main.ts", new Set(), loadedImports);

    assert(graph.has("servers/control/worker.ts"));
    for (
      const path of [
        "control/control_thread",
        "identification",
        "authentication",
        "threads",
        "chat",
      ]
    ) {
      assert(!graph.has(`servers/${path}.ts`), path);
    }
  },
);

testWith(FILES, "lib/ writes to the console only what nobody else would see", async () => {
  for (const path of await modules("lib")) {
    if (path === "lib/base/guarded.ts") continue;
    const code = (await read(path)).replace(/\/\*[^]*?\*\//g, "").replace(/\/\/.*$/gm, "");

    assertEquals(code.match(/\bconsole\./g), null, path);
  }
});
