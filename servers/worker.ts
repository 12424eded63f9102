/**
 * The listening thread: it serves, logs, and answers the control thread.
 *
 * @module
 */
import { LogFile } from "../lib/log_file.ts";
import { serve, type ServeOptions, type Server } from "../lib/server.ts";
import type { ServerEvent } from "../lib/server_events.ts";
import type { ControlMessage, ControlReply } from "./control.ts";
import type { ServerConfig } from "./flags.ts";
import { logEvent } from "./log_events.ts";
import { ServerCommands } from "./server_commands.ts";
import { type Service, SERVICES } from "./service.ts";

// A shutdown waits so long for conversations to end.
const DRAIN_MS = 5000;

/** The part of a worker's global scope that is used; the default library knows only the window's. */
const thread = self as unknown as {
  postMessage(reply: ControlReply): void;
  onmessage: ((event: MessageEvent<ControlMessage>) => void) | null;
};

let commands: ServerCommands | undefined;

thread.onmessage = async ({ data }) => {
  if (data.type === "start") return await start(data.config);
  const text = await commands?.run(data.command, data.argument) ?? "The server is not ready yet";
  thread.postMessage({ type: "answer", id: data.id, text });
};

async function start(config: ServerConfig): Promise<void> {
  try {
    const log = LogFile.open(config.logPath, { name: config.name });
    log.info("start", { pid: Deno.pid, deno: Deno.version.deno });
    const counter = { messages: 0 };
    const onEvent = (event: ServerEvent) => take(event, log, counter);
    const service = await SERVICES[config.name]!(config, log, onEvent);
    const server = serve(service.handler, {
      ...serveOptions(config),
      ...service.options,
      onEvent,
    });
    const stop = () => end(server, service, log);
    commands = new ServerCommands({ server, service, log, counter, stop });
    thread.postMessage({
      type: "listening",
      hostname: server.addr.hostname,
      port: server.addr.port,
    });
  } catch (error) {
    thread.postMessage({ type: "failed", message: (error as Error).message });
  }
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

async function end(server: Server, service: Service, log: LogFile): Promise<void> {
  await server.shutdown({ signal: AbortSignal.timeout(DRAIN_MS) });
  await service.close?.();
  log.close();
  thread.postMessage({ type: "stopped" });
}
