/**
 * The listening thread: it serves, logs, and runs commands for the main thread.
 *
 * @module
 */
import { count } from "../../lib/base/numbers.ts";
import { messageOf, stackOf } from "../../lib/base/thrown.ts";
import { LogFile } from "../../lib/log/log_file.ts";
import type { ServeOptions } from "../../lib/server/serve_options.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
import { serve } from "../../lib/server/server.ts";
import { closeFolder } from "../../lib/store/private_folder.ts";
import { EXERCISES } from "../exercises.ts";
import { EventLog } from "../logging/log_events.ts";
import type { Service } from "../service.ts";
import { httpOf } from "../web/http_option.ts";
import { COMMANDS, commandsOf, type ServerContext } from "./commands.ts";
import type { ServerConfig } from "./config.ts";
import type { FromListening, ToListening } from "./listening_thread.ts";
import { reasonOf } from "./output.ts";

/** The part of a worker's global scope that is used; the default library knows only the window's. */
const thread = self as unknown as {
  postMessage(message: FromListening): void;
  onmessage: ((event: MessageEvent<ToListening>) => void) | null;
};

// How long a pause or a stop waits for conversations to end, and after what time the operator is told.
const DRAIN_MS = 5000;
const PROGRESS_MS = 500;
// How many ports are tried, upwards from the one asked for, while they are busy.
const PORT_ATTEMPTS = 100;

let log: LogFile | undefined;
let starting: Promise<ServerContext | undefined> = Promise.resolve(undefined);

thread.onmessage = ({ data }) => {
  if (data.type === "start") starting = start(data.config, data.warning);
  else answer(data);
};

addEventListener("error", (event) => {
  event.preventDefault();
  crash(event.error);
});

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  crash(event.reason);
});

/** Opens everything. What cannot be opened is reported to the main thread, which then ends this one. */
async function start(
  config: ServerConfig,
  warning: string | undefined,
): Promise<ServerContext | undefined> {
  let service: Service | undefined;
  try {
    log = LogFile.open(config.logPath, { name: config.name });
    log.info("start", { pid: Deno.pid, deno: Deno.version.deno });
    if (warning) log.warn("no TLS", { warning });
    log.flush();
    const events = new EventLog(log);
    closeFolder(config.dataDir);
    service = await EXERCISES[config.name](config, log, events.take);
    events.isSecret = service.isSecret;
    return run(config, service, log, events);
  } catch (error) {
    await service?.close?.();
    fail("cannot start", error, reasonOf(error));
    return undefined;
  }
}

function run(
  config: ServerConfig,
  service: Service,
  log: LogFile,
  events: EventLog,
): ServerContext {
  const { http, load } = httpOf(config, service);
  const options: ServeOptions = { ...optionsOf(config), ...service.options, onEvent: events.take };
  const server = service.rawHandler
    ? serve(service.rawHandler, options)
    : serve(service.handler, { ...options, http });
  const { hostname, port } = server.addr;
  log.flush();
  thread.postMessage({
    type: "listening",
    listening: { hostname, port, commands: commandsOf(service) },
  });
  load();
  const waitsFor = () =>
    `Waiting ${DRAIN_MS / 1000} s at most for ${count(server.connections, "connection")}`;
  const drain = (run: (signal: AbortSignal) => Promise<void>) => withProgress(run, waitsFor);
  return { server, service, log, counter: events, drain };
}

function optionsOf(config: ServerConfig): ServeOptions {
  const { host: hostname, port, maxConnections, maxPerAddress, idleTimeoutMs, cert, key } = config;
  const tls = cert !== undefined && key !== undefined ? { cert, key } : {};
  const limits = { maxConnections, maxPerAddress, idleTimeoutMs };
  return { hostname, port, portAttempts: PORT_ATTEMPTS, ...limits, ...tls, goodbye: goodbyeText };
}

/** Runs what waits for clients, and tells the operator so if it takes longer than a moment. */
async function withProgress(
  run: (signal: AbortSignal) => Promise<void>,
  text: () => string,
): Promise<void> {
  const post = () => thread.postMessage({ type: "progress", text: text() });
  const timer = setTimeout(post, PROGRESS_MS);
  try {
    await run(AbortSignal.timeout(DRAIN_MS));
  } finally {
    clearTimeout(timer);
  }
}

/** Runs one command and posts the answer for the operator. */
async function answer({ id, command, argument }: ToListening & { type: "call" }): Promise<void> {
  const context = await starting;
  if (!context) return;
  let text;
  try {
    text = command === "stop"
      ? await stop(context, argument)
      : await runCommand(context, command, argument);
  } catch (error) {
    text = `Cannot run ${command}: ${messageOf(error)}`;
  }
  thread.postMessage({ type: "answer", id, text });
}

/** A command leaves a line in the log, with the argument of a `kick`, and without the text of a `say`. */
async function runCommand(
  context: ServerContext,
  command: string,
  argument: string,
): Promise<string> {
  const { log } = context;
  log.info("command", { command, ...(command === "kick" && { argument }) });
  try {
    return await COMMANDS[command]!.listening!(argument, context);
  } finally {
    log.flush(); // The operator may look into the log next.
  }
}

async function stop({ server, service, log, drain }: ServerContext, by: string): Promise<string> {
  if (by) log.info("stop", { by });
  else log.info("command", { command: "stop" });
  service.sendAway?.(true);
  await drain((signal) => server.shutdown({ signal }));
  await service.close?.();
  log.close();
  return "Stopped";
}

function crash(error: unknown): void {
  fail("crashed", error, `The server crashed: ${messageOf(error)}`);
}

function fail(event: string, error: unknown, message: string): void {
  log?.error(event, { error: stackOf(error) });
  log?.close();
  thread.postMessage({ type: "failed", message });
}
