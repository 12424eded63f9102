/**
 * The client's modules as an HTTP server gives them.
 *
 * @module
 */

/** Sources by URL path, such as `/client/main.ts`. */
export type Modules = ReadonlyMap<string, string>;

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;

/**
 * Reads the clients and all that they import, and nothing else.
 *
 * @param root The folder that holds `client` and `lib`, with a slash at its end.
 * @throws {Deno.errors.NotFound} If a module imports one that is not there.
 */
export async function clientModules(root: URL): Promise<Modules> {
  const modules = new Map<string, string>();
  const missing: URL[] = [];
  for await (const { name } of Deno.readDir(new URL("client", root))) {
    if (name.endsWith(".ts")) missing.push(new URL(`client/${name}`, root));
  }
  for (let module = missing.pop(); module; module = missing.pop()) {
    const path = module.pathname.slice(root.pathname.length - 1);
    if (modules.has(path)) continue;
    const source = await Deno.readTextFile(module);
    modules.set(path, source);
    for (const [, target] of source.matchAll(RELATIVE_IMPORT)) {
      missing.push(new URL(target!, module));
    }
  }
  return modules;
}

/**
 * Answers requests from memory: what is not one of `modules` is not found, however its path is spelled.
 */
export function moduleHandler(modules: Modules): (request: Request) => Response {
  return ({ method, url }) => {
    if (method !== "GET" && method !== "HEAD") return new Response("Only GET\n", { status: 405 });
    const source = modules.get(new URL(url).pathname);
    if (source === undefined) return new Response("Only the client is here\n", { status: 404 });
    return new Response(source, {
      headers: {
        "content-type": "application/typescript; charset=utf-8",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
      },
    });
  };
}
