/**
 * Exercise 2.3: the control console. Commands are data, so `help` writes itself.
 *
 * @module
 */
import { escapeControl } from "../../lib/base/escape.ts";
import { clearLog, showLog } from "../../lib/log/log_tail.ts";
import { nearest } from "../../lib/base/nearest.ts";

/** What the console needs from the program around it. */
export interface ConsoleOptions {
  /** Where the server's log is. */
  logPath: string;
  /** Runs a command in the listening thread. */
  run(command: string, argument: string): Promise<string>;
  /** Asks the operator, who may say no; answers yes where nobody can be asked. */
  confirm(question: string): Promise<boolean>;
}

/** One command of the console. */
export interface Command {
  /** What stands after the name, as `[N]`. */
  usage?: string;
  /** What it does, for `help`. */
  summary: string;
  /** What to tell whoever types more than the name of a command that takes nothing else. */
  alone?: string;
  /** Does it, if it does not run in the listening thread. */
  run?(argument: string, options: ConsoleOptions): Promise<string> | string;
}

/** All commands by name. Those without `run` are run by the listening thread. */
export const COMMANDS: Record<string, Command> = {
  "help": { summary: "show this list", run: help },
  "status": { summary: "address, uptime, connections, messages, memory" },
  "who": { summary: "who is connected: number, name, address, since when" },
  "pause": { summary: "stop listening; clients are asked to come back" },
  "resume": { summary: "listen again on the same port" },
  "logs": { usage: "[N]", summary: "show the last N lines of the log (20)", run: logs },
  "clear-logs": { summary: "empty the log", run: clearLogs },
  "clear-users": {
    summary: "forget all users; they are asked to register again",
    alone: "it forgets all users. To end the connections of one, type kick NAME",
    run: clearUsers,
  },
  "kick": { usage: "NAME", summary: "end the connections of a name, an address or a number" },
  "say": { usage: "TEXT", summary: "say something to everybody in the chat" },
  "stop": { summary: "say goodbye to everybody and end the server" },
};

/** Runs one line of the operator and gives the answer, which is empty for an empty line. Never rejects. */
export async function runLine(line: string, options: ConsoleOptions): Promise<string> {
  const [, name = "", argument = ""] = line.trim().match(/^(\S*)\s*(.*)$/s) ?? [];
  if (name === "") return "";
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return unknown(name);
  if (argument !== "" && !command.usage) {
    return `${name} takes no argument: ${command.alone ?? "type it alone"}`;
  }
  try {
    return await (command.run?.(argument, options) ?? options.run(name, argument));
  } catch (error) {
    return `Cannot run ${name}: ${error instanceof Error ? error.message : error}`;
  }
}

/** The commands that may be meant by what was typed so far. */
export function completeCommand(beforeCursor: string): string[] {
  if (beforeCursor.includes(" ")) return [];
  return Object.keys(COMMANDS).filter((name) => name.startsWith(beforeCursor));
}

function help(): string {
  const rows = Object.entries(COMMANDS)
    .map(([name, { usage = "", summary }]) => [`${name} ${usage}`.trimEnd(), summary] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `${name.padEnd(width)}  ${summary}`).join("\n");
}

function unknown(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS));
  return `There is no command ${JSON.stringify(name)}. ` +
    (near ? `Did you mean ${near}?` : "Type help to see them all");
}

async function logs(argument: string, { logPath }: ConsoleOptions): Promise<string> {
  if (!/^([1-9]\d{0,8})?$/.test(argument)) return "Usage: logs [N], with N from 1 up";
  return (await showLog(logPath, Number(argument || 20))).join("\n") || "The log is empty";
}

async function clearLogs(_argument: string, options: ConsoleOptions): Promise<string> {
  if (!await options.confirm(`Empty ${escapeControl(options.logPath)}?`)) return "The log is kept";
  await clearLog(options.logPath);
  return "The log is empty now";
}

async function clearUsers(_argument: string, options: ConsoleOptions): Promise<string> {
  if (!await options.confirm("Forget all users?")) return "The users are kept";
  return await options.run("clear-users", "");
}
