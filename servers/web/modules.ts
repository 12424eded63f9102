/**
 * The modules that others run: those of the clients and what they import, and nothing else.
 *
 * @module
 */

/** Sources by their paths from the root, as `client/main.ts`. */
export type Modules = ReadonlyMap<string, string>;

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
const SERVED = /^(?:client|lib)\/[\w/]+\.ts$/;

/**
 * Reads modules and all that they import, in whatever form. It does not wait between files: a hundred small ones take
 * some milliseconds so, and ten times as long with an `await` each.
 *
 * @param root The folder that holds `client` and `lib`, with a slash at its end.
 * @param entries Paths from the root.
 * @param prepare Makes of a source what is served, and what counts for its imports.
 * @throws {Deno.errors.NotFound} If a module imports one that is not there.
 * @throws {TypeError} If one imports a file elsewhere.
 */
export function readModules(
  root: URL,
  entries: readonly string[],
  prepare: (source: string) => string = (source) => source,
): Modules {
  const modules = new Map<string, string>();
  const missing = entries.map((path) => new URL(path, root));
  for (let module = missing.pop(); module; module = missing.pop()) {
    const path = module.href.slice(root.href.length);
    if (modules.has(path)) continue;
    if (!SERVED.test(path)) {
      throw new TypeError(`Cannot serve ${path}: it is not a module of a client`);
    }
    const source = prepare(Deno.readTextFileSync(module));
    modules.set(path, source);
    for (const [, target] of source.matchAll(RELATIVE_IMPORT)) {
      missing.push(new URL(target!, module));
    }
  }
  return modules;
}
