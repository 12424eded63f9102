/**
 * What a line of input means: a message, or a command out of a table that help, completion and advice come from; or
 * JSON from a bot.
 *
 * @module
 */

import { count } from "../../lib/base/numbers.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import { nearest } from "../../lib/base/nearest.ts";
import { parseClientMessage } from "../../lib/chat/protocol.ts";
import type { ChatRequest } from "../session/session_options.ts";

/** What commands work on. */
export interface CommandTarget {
  /** Whether the server has a chat, and not only accounts. */
  readonly hasChat: boolean;
  /** The lowest id shown. */
  readonly oldest: number | undefined;
  /** Says something to everybody, or to one user. */
  say(text: string, options?: { to?: string; ref?: string }): void;
  /** Asks the server; `onPageEnd` gets the number of earlier messages. */
  request(message: ChatRequest, onPageEnd?: (count: number) => void): void;
  /** Shows a line to the person. */
  tell(text: string): void;
  /** Shows why a line is not taken, and what to type instead. */
  refuse(text: string): void;
  /** Empties the screen. */
  clear(): void;
  /** Leaves when everything is said; `logout` ends the session too. */
  leave(options: { logout: boolean }): void;
}

/** One command. */
export interface ChatCommand {
  /** What follows the name. */
  usage?: string;
  /** What it does, for `/help`. */
  help: string;
  /** Whether only a chat has it. */
  chatOnly?: true;
  /** Does it; gives `false` when the argument is not as `usage` says. */
  run(argument: string, target: CommandTarget): boolean | void;
}

/** All commands by name, in the order of the help. */
export const CHAT_COMMANDS: Record<string, ChatCommand> = {
  help: { help: "show this list", run: (_, target) => target.tell(helpText(target)) },
  who: {
    help: "show who is here",
    chatOnly: true,
    run: (_, target) => target.request({ type: "who" }),
  },
  msg: {
    usage: "NAME text",
    help: "say something to one user only",
    chatOnly: true,
    run: tellOne,
  },
  tell: { usage: "NAME text", help: "the same", chatOnly: true, run: tellOne },
  history: {
    usage: "[n]",
    help: "show n earlier messages (20)",
    chatOnly: true,
    run: showHistory,
  },
  me: { help: "show who you are", run: askWhoIAm },
  whoami: { help: "the same", run: askWhoIAm },
  clear: { help: "empty the screen", run: (_, target) => target.clear() },
  logout: {
    help: "leave, and forget this login: the next one needs the password",
    run: (_, target) => target.leave({ logout: true }),
  },
  quit: { help: "leave (also: exit, Ctrl-D)", run: (_, target) => target.leave({ logout: false }) },
};

/**
 * Does what a line says: a command after a slash, otherwise a message; `//` begins a message with a slash. `exit` alone
 * leaves, as it does in the line client; where there is no chat, the other commands need no slash either.
 */
export function runChatLine(line: string, target: CommandTarget): void {
  const word = line.trim().toLowerCase();
  if (word === "") return;
  if (word === "exit") return target.leave({ logout: false });
  const isCommand = !target.hasChat && commandsOf(target).some(([name]) => name === word);
  const text = isCommand ? `/${word}` : line;
  if (!text.startsWith("/")) return target.say(line);
  if (text.startsWith("//")) return target.say(line.slice(1));
  const [, name, argument] = /^\/(\S*)\s*(.*?)\s*$/s.exec(text)!;
  const command = commandsOf(target).find(([known]) => known === name!.toLowerCase())?.[1];
  if (!command) return target.refuse(adviceOn(name!, target));
  const isWhole = argument === "" || command.usage !== undefined;
  if (isWhole && command.run(argument!, target) !== false) return;
  target.refuse(`Usage: ${usageOf(name!.toLowerCase(), command)}`);
}

/**
 * Does what a bot's line says. A text without a `ref` gets one; hello and login are not for the bot to send, because
 * the client sends them itself.
 */
export function runBotLine(line: string, target: CommandTarget): void {
  if (line.trim() === "") return;
  const parsed = parseClientMessage(withRef(line));
  if ("problem" in parsed) return target.refuse(`Not sent: ${parsed.problem}`);
  const { message } = parsed;
  switch (message.type) {
    case "say":
    case "tell":
      return target.say(message.text, message);
    case "logout":
      return target.leave({ logout: true });
    case "hello":
    case "login":
    case "register":
      return target.refuse(`Not sent: the client sends ${message.type} itself`);
    default:
      return target.request(message);
  }
}

function withRef(line: string): string {
  try {
    const value = JSON.parse(line);
    const isText = value?.type === "say" || value?.type === "tell";
    if (!isText || value.ref !== undefined) return line;
    return JSON.stringify({ ...value, ref: crypto.randomUUID() });
  } catch {
    // Not JSON: parseClientMessage() says what is wrong with it.
    return line;
  }
}

/** The commands that a server understands, by name. */
export function commandsOf({ hasChat }: Pick<CommandTarget, "hasChat">): [string, ChatCommand][] {
  return Object.entries(CHAT_COMMANDS).filter(([, { chatOnly }]) => hasChat || !chatOnly);
}

function tellOne(argument: string, target: CommandTarget): boolean {
  const [, to, text] = /^(\S+)\s+(.+)$/s.exec(argument) ?? [];
  if (to === undefined) return false;
  target.say(text!, { to });
  return true;
}

function showHistory(argument: string, target: CommandTarget): boolean {
  if (!/^([1-9]\d{0,5})?$/.test(argument)) return false;
  const { oldest: before } = target;
  target.request(
    { type: "history", limit: Number(argument || 20), ...(before !== undefined && { before }) },
    (shown) => target.tell(shown ? count(shown, "earlier message") : "There is nothing earlier"),
  );
  return true;
}

function askWhoIAm(_: string, target: CommandTarget): void {
  target.request({ type: "whoami" });
}

function usageOf(name: string, { usage }: ChatCommand): string {
  return usage === undefined ? `/${name}` : `/${name} ${usage}`;
}

function helpText(target: CommandTarget): string {
  const rows = commandsOf(target).map(([name, command]) => [usageOf(name, command), command.help]);
  if (target.hasChat) rows.push(["//text", "say /text"]);
  const width = Math.max(...rows.map(([usage]) => usage!.length));
  return rows.map(([usage, help]) => `  ${usage!.padEnd(width)}  ${help}`).join("\n");
}

function adviceOn(name: string, target: CommandTarget): string {
  const near = nearest(name, commandsOf(target).map(([known]) => known));
  const advice = near ? `did you mean /${near}?` : "/help shows what there is";
  const what = target.hasChat ? "There is no command" : "This server has no chat, and no command";
  return `${what} /${escapeControl(name)}: ${advice}`;
}
