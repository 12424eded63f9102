/**
 * The client of the chat and of the authentication server. Runs from a file, or by URL with `--allow-net` alone.
 *
 * @module
 */

import process from "node:process";
import { isLoopback } from "../lib/base/address.ts";
import { escapeControl } from "../lib/base/escape.ts";
import { painter, wantsColor } from "../lib/terminal/color.ts";
import { STANDARD_ERROR } from "../lib/terminal/async_output.ts";
import { Terminal } from "../lib/terminal/terminal.ts";
import { ChatClient } from "./chat/client.ts";
import { CredentialSource } from "./chat/credentials.ts";
import { CHAT_FLAGS, CHAT_NOTES, type ChatFlags } from "./chat/chat_flags.ts";
import { readPasswordFile } from "./chat/password_file.ts";
import { DEFAULT_PATH, TokenFile } from "./chat/token_file.ts";
import { ChatView } from "./chat/view.ts";
import { WrongServerError } from "./session/connection.ts";
import { checkName, findServer } from "./session/first_questions.ts";
import { FlagError, INTERRUPTED, runProgram } from "./shared/client_program.ts";
import {
  addressOf,
  clientCommand,
  explainFailure,
  noConnection,
  WrongClientError,
} from "./shared/failure.ts";
import { connectorOf, MAX_BACKOFF_MS, targetOf } from "./shared/target.ts";

async function talk(flags: ChatFlags): Promise<number> {
  let isInterrupted = false;
  await using terminal = new Terminal({
    keepEntered: false,
    complete: (beforeCursor) => client.complete(beforeCursor),
    onInterrupt: async () => {
      isInterrupted = true;
      await terminal[Symbol.asyncDispose]();
      Deno.exit(INTERRUPTED);
    },
  });
  // While a line is being typed, only the terminal knows where another may go.
  const tell = (text: string) =>
    terminal.isInteractive ? terminal.print(text) : STANDARD_ERROR.write(`${text}\n`);
  const service = (text: string) => tell(escapeControl(text));
  const asker = { line: (prompt: string) => terminal.question(prompt), tell };
  const server = await targetOf(flags, process.stdin.isTTY ? asker : undefined);
  const { history, json } = flags;
  const logins = await loginsOf(flags, addressOf(server));
  const connect = await connectorOf(server);
  if (!server.tls && !isLoopback(server.host)) {
    tell("Warning: passwords and messages can be read on the way: use --tls");
  }
  const address = addressOf(server);
  const isRetriable = (error: unknown) => {
    if (error instanceof WrongServerError) throw error;
    if (explainFailure(error, server).isFinal) {
      throw new Error(noConnection(address, error, server));
    }
    return true;
  };
  const { name, register, "password-file": passwordFile } = flags;
  const source = new CredentialSource({
    ...{ name, register, logins },
    readPassword: passwordFile === undefined
      ? undefined
      : () => readPasswordFile(passwordFile, service),
    person: process.stdin.isTTY ? terminal : undefined,
    findServer: () =>
      findServer(connect).catch((error) => {
        isRetriable(error);
        tell(`${noConnection(address, error, server)}; the login follows when the server answers`);
      }),
    checkName: (wanted) => checkName(wanted, connect),
    tell: service,
  });
  const client: ChatClient = new ChatClient({
    ...(history !== undefined && { history }),
    ...{ json, terminal, tell, connect, logins, tls: server.tls, address },
    view: new ChatView(painter(terminal.isInteractive && wantsColor())),
    credentials: (refusal) => terminal.interview(() => source.next(refusal)),
    isRetriable,
    backoff: { maxMs: MAX_BACKOFF_MS },
  });
  const code = await client.run().catch((error) => {
    const isForeign = error instanceof WrongServerError && error.isForeign;
    throw isForeign ? new WrongClientError("lines", server) : error;
  });
  terminal.close();
  await terminal.written();
  return isInterrupted ? INTERRUPTED : code;
}

async function loginsOf(flags: ChatFlags, server: string): Promise<TokenFile | undefined> {
  if (flags["no-session"]) return undefined;
  const logins = new TokenFile(flags.session ?? DEFAULT_PATH, server);
  await logins.check().catch((error) => {
    throw error instanceof TypeError ? new FlagError(error.message, { cause: error }) : error;
  });
  return logins;
}

/** Runs the program with the arguments of this process, and ends the process. */
export function main(): Promise<never> {
  return runProgram({
    command: clientCommand("chat"),
    about: "Takes part in a chat, or logs in at an authentication server.",
    flags: CHAT_FLAGS,
    notes: CHAT_NOTES,
    run: talk,
  });
}

if (import.meta.main) await main();
