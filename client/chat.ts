/**
 * The client of the chat and of the authentication server. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import process from "node:process";
import { isLoopback } from "../lib/base/address.ts";
import { painter, wantsColor } from "../lib/terminal/color.ts";
import { escapeControl } from "../lib/base/escape.ts";
import { Terminal } from "../lib/terminal/terminal.ts";
import { ChatClient } from "./chat/chat_client.ts";
import { CHAT_FLAGS, CHAT_NOTES, type ChatFlags } from "./chat/chat_flags.ts";
import { ChatView } from "./chat/chat_view.ts";
import { CredentialSource, type CredentialSourceOptions } from "./chat/credentials.ts";
import { INTERRUPTED, runProgram } from "./shared/command_line.ts";
import { addressOf, clientCommand } from "./shared/failure.ts";
import { NamesSeen } from "./chat/names_seen.ts";
import { connectorOf, MAX_BACKOFF_MS, targetOf } from "./shared/target.ts";
import { TokenFile } from "./chat/token_file.ts";

async function chat(flags: ChatFlags): Promise<number> {
  const names = new NamesSeen();
  using terminal = openTerminal(names);
  const tell = teller(terminal);
  const asker = { line: (prompt: string) => terminal.question(prompt), tell };
  const target = await targetOf(flags, process.stdin.isTTY ? asker : undefined);
  const connect = await connectorOf(target);
  if (!flags.tls && !isLoopback(target.host)) {
    tell("Warning: without --tls whoever is on the way can read passwords and messages");
  }
  const server = addressOf(target);
  const tokens = new TokenFile(
    flags["no-session"] ? undefined : flags.session ?? "data/logins.json",
  );
  const source = new CredentialSource(sourceOptions(flags, { server, tokens, terminal }));
  const output: { failure?: Error & { code?: string } } = {};
  process.stdout.on("error", (error) => output.failure ??= error);
  const code = await new ChatClient({
    ...(flags.history !== undefined && { history: flags.history }),
    ...{ json: flags.json, address: server, terminal, names, tell, tokens },
    view: new ChatView(painter(terminal.isInteractive && wantsColor())),
    credentials: (refusal) => terminal.interview(() => source.next(refusal)),
    connect,
    backoff: { maxMs: MAX_BACKOFF_MS },
  }).run();
  // A reader that has seen enough, such as `head`, is no failure.
  if (output.failure && output.failure.code !== "EPIPE") throw output.failure;
  return code;
}

function openTerminal(names: NamesSeen): Terminal {
  const terminal: Terminal = new Terminal({
    keepEntered: false,
    complete: (beforeCursor) => names.complete(beforeCursor),
    onInterrupt: () => {
      terminal.close();
      Deno.exit(INTERRUPTED);
    },
  });
  return terminal;
}

function sourceOptions(
  { name, register, "password-file": passwordFile }: ChatFlags,
  { terminal, ...rest }: { server: string; tokens: TokenFile; terminal: Terminal },
): CredentialSourceOptions {
  return {
    ...rest,
    ...(name !== undefined && { name }),
    ...(passwordFile !== undefined && { readPassword: () => firstLine(passwordFile) }),
    ...(process.stdin.isTTY && { person: terminal }),
    register,
    tell: (text) => teller(terminal)(escapeControl(text)),
  };
}

/** Where the client's own words go: while a line is being typed, only the terminal knows where they may. */
function teller(terminal: Terminal): (text: string) => void {
  if (terminal.isInteractive) return (text) => terminal.print(text);
  return (text) => void process.stderr.write(`${text}\n`);
}

async function firstLine(path: string): Promise<string> {
  const [line] = (await Deno.readTextFile(path)).split(/\r?\n/);
  return line!;
}

if (import.meta.main) {
  await runProgram({
    command: clientCommand("chat"),
    about: "Takes part in a chat, or logs in at an authentication server.",
    flags: CHAT_FLAGS,
    notes: CHAT_NOTES,
    run: chat,
  });
}
