/**
 * Serves the client's modules over HTTP, so that others run the client without a checkout and without the internet.
 *
 * @module
 */
import { getNetworkAddress } from "@std/net/get-network-address";
import { isLoopback } from "../../lib/base/address.ts";
import { joinHostPort, parseHost, parsePort } from "../../lib/base/endpoint.ts";
import { listen } from "../../lib/server/listen.ts";
import { type Program, runProgram } from "../../servers/control/command_line.ts";
import { onStopSignal } from "../../servers/control/signals.ts";
import { answer, clientModules, type Modules } from "./modules.ts";

const MAX_CONNECTIONS = 256;
const RETRY_MS = 100;

const PROGRAM: Program = {
  usage: "deno task share [flags]",
  flags: {
    host: {
      value: "HOST",
      help: "the address to listen on (this machine's on the network)",
      check: parseHost,
    },
    port: {
      value: "PORT",
      help: "the first port to try; 0 takes any free one",
      default: "8000",
      check: (text) => parsePort(text, { allowZero: true }),
    },
  },
  notes: "Serves the client to the network and prints the command that runs it elsewhere.",
};

/** The command that runs the shared client; `host` is where others reach this machine. */
export function commandLine(host: string, port: number): string {
  const url = `http://${joinHostPort(host, port)}/client/main.ts`;
  return `deno run --allow-net ${url} --host ${host}`;
}

/** Says who can reach the modules, and how the server of the exercise has to listen. */
export function explanation(moduleCount: number, address: string): string {
  const isLocal = isLoopback(address);
  const everywhere = address.includes(":") ? "::" : "0.0.0.0";
  const audience = isLocal ? "this machine only" : "everyone on this network";
  return `Serving the client's ${moduleCount} modules to ${audience}; Ctrl-C ends it.` +
    " For chat and auth the line has client/chat.ts in place of client/main.ts." +
    (isLocal ? "" : ` Start their server with --host ${everywhere}.`);
}

/** Where others reach what listens on `hostname`. */
function reachableAddress(hostname: string): string {
  if (hostname === "0.0.0.0") return getNetworkAddress() ?? "127.0.0.1";
  if (hostname === "::") return getNetworkAddress("IPv6") ?? "::1";
  return hostname;
}

/** Serves until the listener is closed. A connection over the limit is closed at once. */
async function serve(listener: Deno.Listener, modules: Modules): Promise<void> {
  let connections = 0;
  for (;;) {
    try {
      const conn = await listener.accept();
      if (connections === MAX_CONNECTIONS) conn.close();
      else {
        connections++;
        answer(conn, modules).then(() => connections--);
      }
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS)); // no descriptors, for example
    }
  }
}

async function main(flags: Record<string, string>): Promise<number> {
  const hostname = parseHost(flags["host"] ?? getNetworkAddress() ?? "127.0.0.1");
  const modules = await clientModules(new URL("../../", import.meta.url));
  const listener = listen({ hostname, port: parsePort(flags["port"]!, { allowZero: true }) });
  using _signals = onStopSignal(() => listener.close());
  const address = reachableAddress(hostname);
  console.log(commandLine(address, listener.addr.port));
  console.error(explanation(modules.size, address));
  await serve(listener, modules);
  return 0;
}

if (import.meta.main) await runProgram(PROGRAM, main);
