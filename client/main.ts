/**
 * The line client: sends what is typed, shows what comes back. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import { LineClient } from "./line/line_client.ts";
import { INTERRUPTED, runProgram } from "./shared/command_line.ts";
import { addressOf, clientCommand } from "./shared/failure.ts";
import { openStreams } from "./shared/streams.ts";
import {
  connectorOf,
  MAX_BACKOFF_MS,
  TARGET_FLAGS,
  type TargetFlags,
  targetOf,
} from "./shared/target.ts";

async function talk(flags: TargetFlags): Promise<number> {
  using streams = openStreams();
  const server = await targetOf(flags, streams.asker);
  if (streams.signal.aborted) return INTERRUPTED;
  const client = new LineClient({
    ...streams,
    address: addressOf(server),
    backoff: { maxMs: MAX_BACKOFF_MS },
    connect: await connectorOf(server),
  });
  const unanswered = await client.run();
  if (streams.signal.aborted) return INTERRUPTED;
  return unanswered > 0 || client.wasKicked ? 1 : 0;
}

if (import.meta.main) {
  await runProgram({
    command: clientCommand("lines"),
    about: "Sends each line you type to a server and shows what it answers; exit ends it.",
    flags: TARGET_FLAGS,
    notes: [
      "Answers go to standard output, messages of the client itself to standard error. In a pipe nothing is asked: " +
      "printf 'a\\nb\\n' | deno task client prints the answers and ends; a server that was never there is waited for " +
      "5 s.",
      "The exit code is 1 when a line got no answer or the operator ended the connection, 2 when the flags are wrong, " +
      "and 130 after Ctrl-C.",
    ],
    run: talk,
  });
}
