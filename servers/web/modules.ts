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
 * Reads modules and all that they import, in whatever form.
 *
 * @param root The folder that holds `client` and `lib`, with a slash at its end.
 * @param entries Paths from the root.
 * @param prepare Makes of a source what is served, and what counts for its imports.
 * @throws {Deno.errors.NotFound} If a module imports one that is not there.
 * @throws {TypeError} If one imports a file elsewhere.
 */
export async function readModules(
  root: URL,
  entries: readonly string[],
  prepare: (source: string) => string = (source) => source,
): Promise<Modules> {
  const modules = new Map<string, string>();
  const missing = entries.map((path) => new URL(path, root));
  for (let module = missing.pop(); module; module = missing.pop()) {
    const path = module.href.slice(root.href.length);
    if (modules.has(path)) continue;
    if (!SERVED.test(path)) {
      throw new TypeError(`Cannot serve ${path}: it is no module of a client`);
    }
    const source = prepare(await Deno.readTextFile(module));
    modules.set(path, source);
    for (const [, target] of source.matchAll(RELATIVE_IMPORT)) {
      missing.push(new URL(target!, module));
    }
  }
  return modules;
}

/** The paths from the root of the files of a folder and, where that is asked for, of those in it. */
export async function filesIn(root: URL, folder: string, deep = false): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${name}`;
    if (!isDirectory) files.push(path);
    else if (deep) files.push(...await filesIn(root, path, deep));
  }
  return files.sort();
}
