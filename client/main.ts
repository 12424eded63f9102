/**
 * The line client: sends what is typed, shows what comes back. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import process from "node:process";
import { escapeControl } from "../lib/base/escape.ts";
import { painter, wantsColor } from "../lib/terminal/color.ts";
import { Terminal } from "../lib/terminal/terminal.ts";
import { LineClient } from "./line/line_client.ts";
import { INTERRUPTED, runProgram } from "./shared/client_program.ts";
import { clientCommand } from "./shared/failure.ts";
import {
  connectorOf,
  MAX_BACKOFF_MS,
  TARGET_FLAGS,
  type TargetFlags,
  targetOf,
} from "./shared/target.ts";

async function talk(flags: TargetFlags): Promise<number> {
  const interruption = new AbortController();
  await using terminal = new Terminal({
    onInterrupt: () => {
      terminal.close();
      interruption.abort();
    },
  });
  const isAboveLine = terminal.isInteractive && process.stderr.isTTY === true;
  const paint = painter(isAboveLine && wantsColor());
  const onService = (text: string) => terminal.tell(paint(escapeControl(text), "dim"));
  const asker = { line: (prompt: string) => terminal.question(prompt), tell: onService };
  const server = await targetOf(flags, process.stdin.isTTY ? asker : undefined);
  if (interruption.signal.aborted) return INTERRUPTED;
  const client = new LineClient({
    lines: terminal,
    onReply: async (text) => {
      terminal.print(text);
      // A slow reader of a pipe slows the conversation down.
      if (!terminal.isInteractive) await terminal.written();
    },
    onService,
    server,
    connect: await connectorOf(server),
    backoff: { maxMs: MAX_BACKOFF_MS },
    signal: interruption.signal,
  });
  const unanswered = await client.run();
  terminal.close();
  await terminal.written();
  if (interruption.signal.aborted) return INTERRUPTED;
  return unanswered > 0 || client.wasKicked ? 1 : 0;
}

/** Runs the program with the arguments of this process, and ends the process. */
export function main(): Promise<never> {
  return runProgram({
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

if (import.meta.main) await main();
