/**
 * The line client: sends what is typed, shows what comes back. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import { joinHostPort } from "../lib/base/endpoint.ts";
import { escapeControl } from "../lib/base/escape.ts";
import { type ClientFlags, FlagError, parseFlags, USAGE } from "./shared/flags.ts";
import { LineClient } from "./line/line_client.ts";
import { openStreams } from "./shared/streams.ts";
import { connectorOf, MAX_BACKOFF_MS, targetOf } from "./shared/target.ts";

const INTERRUPTED = 130;

async function main(args: string[]): Promise<number> {
  try {
    const flags = parseFlags(args);
    return flags.help ? explain() : await talk(flags);
  } catch (error) {
    // A reader of the answers that has seen enough is no failure.
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return 0;
    console.error(escapeControl(error instanceof Error ? error.message : String(error)));
    return error instanceof FlagError ? 2 : 1;
  }
}

function explain(): number {
  console.log(USAGE);
  return 0;
}

async function talk(flags: ClientFlags): Promise<number> {
  const connect = await connectorOf(flags);
  using streams = openStreams();
  const target = await targetOf(flags, streams.asker);
  if (streams.signal.aborted) return INTERRUPTED;
  const client = new LineClient({
    ...streams,
    address: joinHostPort(target.host, target.port),
    backoff: { maxMs: MAX_BACKOFF_MS },
    connect: (signal) => connect(target, signal),
  });
  const unanswered = await client.run();
  if (streams.signal.aborted) return INTERRUPTED;
  return unanswered > 0 || client.wasKicked ? 1 : 0;
}

// A read of standard input that is pending cannot be taken back: without exit() it would keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));
