/**
 * The line client: sends what is typed, shows what comes back. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import process from "node:process";
import { FramedConn } from "../lib/framed_conn.ts";
import { askHost, askPort } from "../lib/question.ts";
import { ReadlineAsker } from "../lib/readline_asker.ts";
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
    if (error instanceof Deno.errors.Interrupted) return 130;
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
  const { host, port } = await completed(flags);
  using streams = openStreams();
  const client = new LineClient({
    ...streams,
    address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    backoff: { maxMs: MAX_BACKOFF_MS },
    connect: (signal) => FramedConn.connect({ hostname: host, port, ...tls, signal: soon(signal) }),
  });
  return await client.run() > 0 ? 1 : 0;
}

/** Asks a person for what no flag says; a pipe gets the defaults. */
async function completed({ host, port }: ClientFlags): Promise<{ host: string; port: number }> {
  if (!process.stdin.isTTY || host !== undefined && port !== undefined) {
    return { host: host ?? "127.0.0.1", port: port ?? 9090 };
  }
  using asker = new ReadlineAsker();
  return { host: host ?? await askHost(asker), port: port ?? await askPort(asker) };
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
