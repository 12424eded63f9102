/**
 * HTTP for the server of an exercise, loaded once the server listens.
 *
 * @module
 */
import type { HttpProtocol } from "../../lib/server/http_protocol.ts";
import type { HttpOption } from "../../lib/server/serve_options.ts";
import type { ServerConfig } from "../control/config.ts";
import type { Service } from "../service.ts";

// Not named in the `import` itself: Deno would load it with this module, before the server listens.
const SITE = "./site.ts";

/**
 * Makes the option `http` of a server; there is none where bytes are no frames, or with `--no-web`. `load` is to be called
 * when the server listens: at the start it would take time, and later there may be no descriptor to load it with.
 */
export function httpOf(
  config: ServerConfig,
  { silence, rawHandler }: Service,
): HttpOption & { load(): void } {
  if (!config.web || rawHandler) return { load() {} };
  const loading = Promise.withResolvers<typeof import("./site.ts")>();
  let site: HttpProtocol;
  const ready = loading.promise.then(({ openSite }) => site = openSite(config, silence?.browsers));
  ready.catch(() => {/* Reported by the conversation that needs it. */});
  return {
    http: { ...silence, ready, open: (conn, options) => site.open(conn, options) },
    load: () => void import(SITE).then(loading.resolve, loading.reject),
  };
}
