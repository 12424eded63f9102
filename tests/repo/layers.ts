/**
 * The rules of the layers: which folder may import which, and how large folders and files may be.
 *
 * @module
 */

/** The text of each module by its path from the root. */
export type Sources = Map<string, string>;

/** The folders and files that each folder or file may import. The longest matching path counts. */
const MAY_IMPORT: Record<string, string[]> = {
  "lib/base": ["lib/base"],
  "lib/frame": ["lib/base", "lib/frame"],
  "lib/conn": ["lib/base", "lib/frame", "lib/conn"],
  "lib/codec": ["lib/base", "lib/conn", "lib/codec"],
  "lib/server": ["lib/base", "lib/frame", "lib/conn", "lib/codec", "lib/server"],
  "lib/web": ["lib/base", "lib/frame", "lib/conn", "lib/server", "lib/web"],
  "lib": ["lib"],
  "servers": ["lib", "servers"],
  "client/shared": ["lib", "client/shared"],
  "client/line": ["lib", "client/shared", "client/line"],
  "client/main.ts": ["lib", "client/shared", "client/line"],
  "client/session": ["lib/base", "lib/chat", "lib/conn/reconnect.ts", "client/session"],
  "client/web": ["lib/base", "lib/chat", "client/session", "client/web"],
  "client/web/exercise": [
    "lib/base",
    "lib/chat",
    "lib/frame/frame.ts",
    "lib/conn/reconnect.ts",
    "client/web",
  ],
  "client/chat": ["lib", "client/shared", "client/session", "client/chat"],
  "client/chat.ts": ["lib", "client/shared", "client/session", "client/chat"],
  "tools/std": ["tools/std"],
  "tools": ["lib", "servers", "client", "tools", "deno.json"],
  "mod.ts": ["lib"],
  "testing.ts": ["lib"],
  "tests": [""],
};

const MAX_FILES = 14;
const MAX_LINES = 250;
const MAX_TEST_LINES = 400;

/** An import as written; a `url` names a module that a Worker or another process runs. */
export interface Import {
  specifier: string;
  kind: "static" | "dynamic" | "url";
}

/** The imports of a module: static ones, re-exports, `import()`, types, and modules named by URL. */
export function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const patterns: [Import["kind"], RegExp][] = [
    ["static", /(?:^|\n)\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"$]+)"/g],
    ["static", /(?:^|\n)\s*import\s*"([^"]+)"/g],
    ["dynamic", /\bimport\(\s*"([^"$]+)"/g],
    ["url", /(?:new URL|import\.meta\.resolve)\(\s*"(\.[^"]+\.ts)"/g],
  ];
  return patterns.flatMap(([kind, pattern]) =>
    Array.from(code.matchAll(pattern), (match) => ({ specifier: match[1]!, kind }))
  );
}

/** The path that a specifier in `path` stands for; itself where it is not relative. */
export function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function isIn(path: string, place: string): boolean {
  return place === "" || path === place || path.startsWith(`${place}/`);
}

/** The files that run by URL, where no import map applies. */
function byUrl(sources: Sources): Set<string> {
  const reached = new Set(
    [...sources.keys()].filter((path) => /^(client\/|mod\.ts$|testing\.ts$)/.test(path)),
  );
  for (const path of reached) {
    for (const { specifier } of importsOf(sources.get(path)!)) {
      const target = targetOf(path, specifier);
      if (sources.has(target)) reached.add(target);
    }
  }
  return reached;
}

function importViolations(sources: Sources): string[] {
  const places = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length);
  const bare = byUrl(sources);
  const found: string[] = [];
  for (const [path, source] of sources) {
    const place = places.find((place) => isIn(path, place));
    if (!place) found.push(`${path} belongs to no layer`);
    const allowed = place ? MAY_IMPORT[place]! : [""];
    for (const { specifier } of importsOf(source)) {
      const target = targetOf(path, specifier);
      if (target !== specifier) {
        if (!allowed.some((place) => isIn(target, place))) found.push(`${path} imports ${target}`);
      } else if (specifier.startsWith("node:")) continue;
      else if (bare.has(path)) found.push(`${path} runs by URL and imports ${specifier}`);
      else if (!specifier.startsWith("@std/")) found.push(`${path} imports ${specifier}`);
    }
  }
  return found;
}

/** The groups of files that import one another, types included (Tarjan's algorithm). */
function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const order = new Map<string, number>();
  const open: string[] = [];
  function visit(path: string): number {
    let lowest = order.size;
    const own = lowest;
    order.set(path, own);
    open.push(path);
    for (const { specifier, kind } of importsOf(sources.get(path)!)) {
      const target = targetOf(path, specifier);
      if (kind === "url" || !sources.has(target)) continue;
      if (!order.has(target)) lowest = Math.min(lowest, visit(target));
      else if (open.includes(target)) lowest = Math.min(lowest, order.get(target)!);
    }
    if (lowest === own) {
      const group = open.splice(open.indexOf(path));
      if (group.length > 1) found.push(`${group.sort().join(", ")} import one another`);
    }
    return lowest;
  }
  for (const path of sources.keys()) if (!order.has(path)) visit(path);
  return found;
}

function sizeViolations(sources: Sources): string[] {
  const found: string[] = [];
  const folders = Map.groupBy(sources.keys(), (path) => path.split("/").slice(0, -1).join("/"));
  for (const [folder, { length }] of folders) {
    if (length > MAX_FILES) found.push(`${folder} has over ${MAX_FILES} files`);
  }
  for (const [path, source] of sources) {
    const max = path.startsWith("tests/") ? MAX_TEST_LINES : MAX_LINES;
    if (source.split("\n").length - 1 > max) found.push(`${path} has over ${max} lines`);
  }
  return found;
}

/** What breaks a rule, a sentence each. */
export function violations(sources: Sources): string[] {
  return [...importViolations(sources), ...cycles(sources), ...sizeViolations(sources)];
}
