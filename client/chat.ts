/**
 * The client of the chat and of the authentication server. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import process from "node:process";
import { isLoopback } from "../lib/address.ts";
import { painter } from "../lib/color.ts";
import { escapeControl } from "../lib/escape.ts";
import { FramedConn } from "../lib/framed_conn.ts";
import { askHost, askPort } from "../lib/question.ts";
import { Terminal } from "../lib/terminal.ts";
import { ChatClient } from "./chat_client.ts";
import { CHAT_USAGE, type ChatFlags, parseChatFlags } from "./chat_flags.ts";
import { ChatView } from "./chat_view.ts";
import { CredentialSource, type CredentialSourceOptions } from "./credentials.ts";
import { FlagError } from "./flags.ts";
import { NamesSeen } from "./names_seen.ts";
import { TokenFile } from "./token_file.ts";

/** An address that swallows what is sent to it would hold an attempt up for minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A person waits: a server that is back is found within so many milliseconds. */
const MAX_BACKOFF_MS = 5000;

async function main(args: string[]): Promise<number> {
  try {
    const flags = parseChatFlags(args);
    return flags.help ? explain() : await chat(flags);
  } catch (error) {
    console.error(escapeControl(error instanceof Error ? error.message : String(error)));
    return error instanceof FlagError ? 2 : 1;
  }
}

function explain(): number {
  console.log(CHAT_USAGE);
  return 0;
}

async function chat(flags: ChatFlags): Promise<number> {
  const tls = await tlsOptions(flags);
  const names = new NamesSeen();
  using terminal = openTerminal(names);
  const tell = teller(terminal);
  const { host, port } = await serverOf(flags, terminal);
  if (!flags.tls && !isLoopback(host)) {
    tell("Warning: without --tls whoever is on the way can read passwords and messages");
  }
  const server = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const tokens = new TokenFile(flags.session);
  const source = new CredentialSource(sourceOptions(flags, { server, tokens, terminal }));
  return await new ChatClient({
    ...(flags.history !== undefined && { history: flags.history }),
    ...{ json: flags.json, address: server, terminal, names, tell, tokens },
    view: new ChatView(painter(terminal.isInteractive)),
    credentials: (refusal) => source.next(refusal),
    connect: (signal) => FramedConn.connect({ hostname: host, port, ...tls, signal: soon(signal) }),
    backoff: { maxMs: MAX_BACKOFF_MS },
  }).run();
}

function openTerminal(names: NamesSeen): Terminal {
  const terminal: Terminal = new Terminal({
    keepEntered: false,
    complete: (beforeCursor) => names.complete(beforeCursor),
    onInterrupt: () => {
      terminal.close();
      Deno.exit(130);
    },
  });
  return terminal;
}

/** Asks a person for what no flag says; a pipe gets the defaults. */
async function serverOf(flags: ChatFlags, terminal: Terminal) {
  const asker = {
    line: (prompt: string) => terminal.question(prompt),
    tell: teller(terminal),
  };
  const isPerson = process.stdin.isTTY;
  const host = flags.host ?? (isPerson ? await askHost(asker) : "127.0.0.1");
  const port = flags.port ?? (isPerson ? await askPort(asker) : 9090);
  return { host, port };
}

function sourceOptions(
  { name, register, passwordFile }: ChatFlags,
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

async function tlsOptions({ tls, ca }: ChatFlags) {
  if (!tls) return {};
  return { tls: ca === undefined ? {} : { caCerts: [await Deno.readTextFile(ca)] } };
}

function soon(signal?: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(CONNECT_TIMEOUT_MS), ...(signal ? [signal] : [])]);
}

// A read of standard input that is pending cannot be taken back: without exit() it would keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));
