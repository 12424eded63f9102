/**
 * The line client: sends what is typed, shows what comes back. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import { FramedConn } from "../lib/framed_conn.ts";
import { type Asker, askHost, askPort } from "../lib/question.ts";
import { type ClientFlags, FlagError, parseFlags, USAGE } from "./flags.ts";
import { LineClient } from "./line_client.ts";
import { openStreams } from "./streams.ts";

/** An address that swallows what is sent to it would hold an attempt up for minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A person waits: a server that is back is found within so many milliseconds. */
const MAX_BACKOFF_MS = 5000;

async function main(args: string[]): Promise<number> {
  try {
    const flags = parseFlags(args);
    return flags.help ? explain() : await talk(flags);
  } catch (error) {
    // A reader of the answers that has seen enough is no failure.
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return 0;
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof FlagError ? 2 : 1;
  }
}

function explain(): number {
  console.log(USAGE);
  return 0;
}

async function talk(flags: ClientFlags): Promise<number> {
  const tls = await tlsOptions(flags);
  using streams = openStreams();
  const { host, port } = await completed(flags, streams.asker);
  const client = new LineClient({
    ...streams,
    address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    backoff: { maxMs: MAX_BACKOFF_MS },
    connect: (signal) => FramedConn.connect({ hostname: host, port, ...tls, signal: soon(signal) }),
  });
  return await client.run() > 0 ? 1 : 0;
}

/** Asks a person for what no flag says; a pipe gets the defaults. */
async function completed(
  flags: ClientFlags,
  asker?: Asker,
): Promise<{ host: string; port: number }> {
  const host = flags.host ?? (asker ? await askHost(asker) : "127.0.0.1");
  const port = flags.port ?? (asker ? await askPort(asker) : 9090);
  return { host, port };
}

async function tlsOptions({ tls, ca }: ClientFlags) {
  if (!tls) return {};
  return { tls: ca === undefined ? {} : { caCerts: [await Deno.readTextFile(ca)] } };
}

function soon(signal?: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(CONNECT_TIMEOUT_MS), ...(signal ? [signal] : [])]);
}

// A read of standard input that is pending cannot be taken back: without exit() it would keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));
