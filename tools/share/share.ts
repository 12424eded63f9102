/**
 * Serves the client's modules over HTTP, so that a classroom runs the client without a checkout and without the internet.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { getNetworkAddress } from "@std/net/get-network-address";
import { isLoopback } from "../../lib/base/address.ts";
import { joinHostPort, parseHost, parsePort } from "../../lib/base/endpoint.ts";
import { withoutSeparator } from "../../lib/base/task_args.ts";
import { clientModules, moduleHandler } from "./client_modules.ts";
import { onStopSignal } from "../../servers/control/signals.ts";

const PORT_ATTEMPTS = 100;

const USAGE =
  `Serves the client to the network and prints the line that a classmate types to run it.

Usage: deno task share [--host HOST] [--port PORT]

  --host HOST  the address to listen on (this machine's address on the network)
  --port PORT  the first port to try (8000; 0 takes any free one)
  --help       show this`;

/** The line that runs the shared client; `host` is where others reach this machine. */
export function commandLine(host: string, port: number): string {
  const url = `http://${joinHostPort(host, port)}/client/main.ts`;
  return `deno run --allow-net ${url} --host ${host}`;
}

/** Serves on the first free port; tried by listening, because to ask first would be a race. */
function serveOnFreePort(
  options: { hostname: string; port: number; signal: AbortSignal },
  handler: (request: Request) => Response,
): Deno.HttpServer<Deno.NetAddr> {
  for (let port = options.port;; port++) {
    try {
      return Deno.serve({ ...options, port, onListen() {} }, handler);
    } catch (error) {
      const isLast = port === options.port + PORT_ATTEMPTS - 1 || port === 65535;
      if (!(error instanceof Deno.errors.AddrInUse) || isLast) throw error;
    }
  }
}

/** Tells a first Ctrl-C, and leaves the second to the system, which ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const listening = onStopSignal(() => {
    listening[Symbol.dispose]();
    controller.abort();
  });
  return controller.signal;
}

function flagsOf(args: string[]): { hostname: string; port: number; help: boolean } {
  const { host, port, help } = parseArgs({
    args: withoutSeparator(args),
    options: {
      host: { type: "string", default: getNetworkAddress() ?? "127.0.0.1" },
      port: { type: "string", default: "8000" },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
  return { hostname: parseHost(host), port: parsePort(port, { allowZero: true }), help };
}

/** Where others reach what listens on `hostname`. */
function reachableAddress(hostname: string): string {
  if (hostname === "0.0.0.0") return getNetworkAddress() ?? "127.0.0.1";
  if (hostname === "::") return getNetworkAddress("IPv6") ?? "::1";
  return hostname;
}

async function share(hostname: string, port: number): Promise<void> {
  const modules = await clientModules(new URL("../../", import.meta.url));
  const options = { hostname, port, signal: interruption() };
  const server = serveOnFreePort(options, moduleHandler(modules));
  const address = reachableAddress(hostname);
  console.log(commandLine(address, server.addr.port));
  console.error(explanation(modules.size, address));
  await server.finished;
}

/** What the screen of whoever shares says: who is served, and how the server of the exercise has to listen. */
export function explanation(moduleCount: number, address: string): string {
  const isLocal = isLoopback(address);
  const everywhere = address.includes(":") ? "::" : "0.0.0.0";
  const audience = isLocal ? "this machine only" : "everyone on this network";
  return `Serving the client's ${moduleCount} modules to ${audience}; Ctrl-C ends it.` +
    " For chat and auth the line has client/chat.ts in place of client/main.ts." +
    (isLocal ? "" : ` Start the server they shall reach with --host ${everywhere}.`);
}

async function main(args: string[]): Promise<number> {
  try {
    const { hostname, port, help } = flagsOf(args);
    if (help) console.log(USAGE);
    else await share(hostname, port);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof TypeError || error instanceof RangeError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
