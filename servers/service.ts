/**
 * What an exercise gives to the launcher: its handler, and what the control console can do with it.
 *
 * @module
 */
import type { Handler } from "../lib/server/conversation.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import type { ConnInfo, ServerEvent } from "../lib/server/server_events.ts";
import type { ServeOptions } from "../lib/server/serve_options.ts";
import { echo, echoBytes } from "./echo.ts";
import type { ServerConfig, ServerName } from "./control/config.ts";

/** One exercise at work. */
export interface Service {
  /** Holds the conversation with each client. */
  handler: Handler;
  /** What the exercise asks of the server beyond the flags. */
  options?: ServeOptions;
  /** The name of whoever is at the other end, once it is known. */
  nameOf?(conn: ConnInfo): string | undefined;
  /** Called before the conversation at a connection is ended by the operator. */
  onKick?(conn: ConnInfo): void;
  /** Forgets every user and tells how many there were. */
  clearUsers?(): number | Promise<number>;
  /** Says something to everybody, and tells to how many. */
  say?(text: string): number;
  /** Told before everybody is sent away for a pause or the end, and before the server goes on. */
  sendAway?(isAway: boolean): void;
  /** Since when it cannot store what it should, and why; `undefined` while all is well. */
  trouble?(): string | undefined;
  /** What it has stored, for the operator. */
  stored?(): string;
  /** Closes what the service opened. */
  close?(): void | Promise<void>;
}

/** Opens a service; it may read and write below `config.dataDir`, and tells of what the server cannot see. */
export type OpenService = (
  config: ServerConfig,
  log: LogFile,
  onEvent: (event: ServerEvent) => void,
) => Service | Promise<Service>;

/** The exercises by the name of their task. Each is loaded only where it is used. */
export const SERVICES: Record<ServerName, OpenService> = {
  echo: ({ raw }, _log, onEvent) =>
    raw ? { handler: echoBytes(onEvent), options: SILENT } : { handler: echo },
  identify: async (config, log) => {
    const module = await load<typeof import("./identification.ts")>("./identification.ts");
    return module.openIdentification(config, log);
  },
  auth: async (config, log) => {
    const module = await load<typeof import("./authentication.ts")>("./authentication.ts");
    return module.openAuthentication(config, log);
  },
  threads: async (...args) => {
    const module = await load<typeof import("./threaded_echo.ts")>("./threaded_echo.ts");
    return module.openThreadedEcho(...args);
  },
  chat: async (config, log) => {
    const module = await load<typeof import("./chat.ts")>("./chat.ts");
    return module.openChat(config, log);
  },
};

// Where the bytes are no frames, a goodbye in a frame would be noise.
const SILENT = { goodbye: () => undefined };

/** An `import` that names its module itself would not do: Deno loads that with this one, used or not. */
function load<Module>(path: string): Promise<Module> {
  return import(path);
}
