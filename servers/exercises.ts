/**
 * The table of the exercises that are servers. Each is loaded only where it runs.
 *
 * @module
 */
import type { ServerName } from "./control/config.ts";
import { openEcho } from "./echo.ts";
import type { OpenService } from "./service.ts";

/** What opens each of them, by the name of its task. */
export const EXERCISES: Record<ServerName, OpenService> = {
  echo: openEcho,
  identify: async (config, log) => {
    const module = await load<typeof import("./identification.ts")>("./identification.ts");
    return module.openIdentification(config, log);
  },
  auth: async (config, log) => {
    const module = await load<typeof import("./authentication.ts")>("./authentication.ts");
    return module.openAuthentication(config, log);
  },
  threads: async (config, log) => {
    const module = await load<typeof import("./threaded_echo.ts")>("./threaded_echo.ts");
    return module.openThreadedEcho(config, log);
  },
  chat: async (config, log) => {
    const module = await load<typeof import("./chat.ts")>("./chat.ts");
    return module.openChat(config, log);
  },
};

/** An `import` that names its module itself would not do: Deno loads that with this one, used or not. */
function load<Module>(path: string): Promise<Module> {
  return import(path);
}
