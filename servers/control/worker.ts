/**
 * The listening thread: it serves, logs, and answers the control thread.
 *
 * @module
 */
import { LogFile } from "../../lib/log/log_file.ts";
import type { ServeOptions } from "../../lib/server/serve_options.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import type { ServerEvent } from "../../lib/server/server_events.ts";
import type { ServerConfig } from "./config.ts";
import type { ControlMessage, ControlReply } from "./control.ts";
import { logEvent } from "../logging/log_events.ts";
import { plainTextWarning } from "./config.ts";
import { reasonOf } from "./output.ts";
import { DRAIN_MS, ServerCommands } from "./server_commands.ts";
import { type Service, SERVICES } from "../service.ts";
import { holdForLife } from "./thread_lock.ts";

/** The part of a worker's global scope that is used; the default library knows only the window's. */
const thread = self as unknown as {
  postMessage(reply: ControlReply): void;
  onmessage: ((event: MessageEvent<ControlMessage>) => void) | null;
};

let log: LogFile | undefined;
let starting: Promise<ServerCommands | undefined> = Promise.resolve(undefined);

thread.onmessage = ({ data }) => {
  if (data.type === "command") answer(data);
  else begin(data);
};

addEventListener("error", (event) => {
  event.preventDefault();
  crash(event.error);
});

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  crash(event.reason);
});

async function begin({ config, lock }: ControlMessage & { type: "start" }): Promise<void> {
  starting = start(config);
  if (!await starting) return;
  // Not before it listens: to load the locks takes Deno longer than that.
  holdForLife(lock);
  thread.postMessage({ type: "holding" });
}

async function answer(message: ControlMessage & { type: "command" }): Promise<void> {
  const { id, command, argument } = message;
  const commands = await starting;
  if (!commands) return;
  thread.postMessage({ type: "answer", id, text: await commands.run(command, argument) });
}

/** Opens everything; what cannot be opened is told to the control thread, which then ends this one. */
async function start(config: ServerConfig): Promise<ServerCommands | undefined> {
  let service: Service | undefined;
  try {
    log = LogFile.open(config.logPath, { name: config.name });
    log.info("start", { pid: Deno.pid, deno: Deno.version.deno });
    const warning = plainTextWarning(config);
    if (warning) log.warn("no TLS", { warning });
    log.flush();
    const counter = { messages: 0 };
    const onEvent = (event: ServerEvent) => take(event, log!, counter);
    service = await SERVICES[config.name](config, log, onEvent);
    return run({ config, service, log, counter, onEvent });
  } catch (error) {
    await service?.close?.();
    fail("cannot start", error, reasonOf(error));
    return undefined;
  }
}

interface Running {
  config: ServerConfig;
  service: Service;
  log: LogFile;
  counter: { messages: number };
  onEvent(event: ServerEvent): void;
}

function run({ config, service, log, counter, onEvent }: Running): ServerCommands {
  const server = serve(service.handler, {
    ...serveOptions(config),
    ...service.options,
    onEvent,
  });
  const { hostname, port } = server.addr;
  log.flush();
  thread.postMessage({ type: "listening", hostname, port });
  return new ServerCommands({ server, service, log, counter, stop: () => stop(server, service) });
}

function serveOptions(config: ServerConfig): ServeOptions {
  const { host: hostname, port, maxConnections, maxPerAddress, idleTimeoutMs, cert, key } = config;
  const tls = cert !== undefined && key !== undefined ? { cert, key } : {};
  return { hostname, port, maxConnections, maxPerAddress, idleTimeoutMs, ...tls };
}

function take(event: ServerEvent, log: LogFile, counter: { messages: number }): void {
  if (event.type === "received" || event.type === "sent") counter.messages++;
  logEvent(log, event);
}

async function stop(server: Server, service: Service): Promise<void> {
  await server.shutdown({ signal: AbortSignal.timeout(DRAIN_MS) });
  await service.close?.();
  log?.close();
}

function crash(error: unknown): void {
  fail("crashed", error, `The server crashed: ${error instanceof Error ? error.message : error}`);
}

function fail(event: string, error: unknown, message: string): void {
  log?.error(event, { error: error instanceof Error ? error.stack : String(error) });
  log?.close();
  thread.postMessage({ type: "failed", message });
}
