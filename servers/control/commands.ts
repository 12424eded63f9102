/**
 * Exercise 2.3: the commands of the control console, as one table. Each runs in the main thread or in the listening thread.
 *
 * @module
 */
import { isSameName } from "../../lib/chat/name.ts";
import { count } from "../../lib/base/numbers.ts";
import { joinHostPort } from "../../lib/base/endpoint.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import type { Server } from "../../lib/server/server.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { Service } from "../service.ts";

/** What a command in the main thread works on. */
export interface MainContext {
  /** Where the server's log is. */
  logPath: string;
  /** The commands that this server has. */
  names: string[];
  /** Prints the new lines of the log that contain a text, until the operator enters something. */
  followLog(text: string): void;
  /** Ends the server. */
  stop(): void;
}

/** What a command in the listening thread works on. */
export interface ServerContext {
  /** The running server. */
  server: Server;
  /** The exercise it serves. */
  service: Service;
  /** Where each command leaves a line. */
  log: LogFile;
  /** Counts the messages received and sent since the start. */
  counter: { messages: number };
  /** Waits until the clients have left, 5 s at most, and shows the operator what it waits for. */
  drain(run: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** One command of the console. */
export interface Command {
  /** What stands after the name, as `[N]`; without it the command takes no argument. */
  usage?: string;
  /** What it does, for `help`. */
  summary: string;
  /** What to tell an operator who gives an argument to a command that takes none. */
  alone?: string;
  /** The method that a service must have, or its server does not have this command. */
  needs?: "clearUsers" | "say";
  /** What to ask the operator first. */
  question?: string;
  /** Does it in the main thread. */
  main?(argument: string, context: MainContext): Promise<string> | string;
  /** Does it in the listening thread. */
  listening?(argument: string, context: ServerContext): Promise<string> | string;
}

/** All commands by name. */
export const COMMANDS: Record<string, Command> = {
  "help": { summary: "show this list", main: help },
  "status": {
    summary: "address, uptime, connections, messages in and out, memory",
    listening: status,
  },
  "who": { summary: "who is connected: number, name, address, since when", listening: who },
  "pause": { summary: "stop listening; clients are asked to come back", listening: pause },
  "resume": { summary: "listen again on the same port", listening: resume },
  "logs": {
    usage: "[N] [TEXT]",
    summary: "last N lines of the log (20) with TEXT; -f [TEXT]: new ones",
    main: logs,
  },
  "reasons": { summary: "explain the reason= of the log", main: reasons },
  "clear-logs": {
    summary: "empty the log, and the audit log of logins",
    question: "Empty the log, and the audit log of logins?",
    main: clearLogs,
  },
  "clear-users": {
    summary: "forget all users; they are asked to register again",
    alone: "it forgets all users. To end the connections of one, type kick NAME",
    needs: "clearUsers",
    question: "Forget all users?",
    listening: clearUsers,
  },
  "kick": {
    usage: "WHO",
    summary: "end connections by number, name or address, as who shows them",
    listening: kick,
  },
  "say": {
    usage: "TEXT",
    summary: "say something to all in the chat",
    needs: "say",
    listening: say,
  },
  "stop": { summary: "say goodbye to all clients and end the server", main: stop },
};

/** The commands that a server with this service has. */
export function commandsOf(service: Service): string[] {
  return Object.keys(COMMANDS).filter((name) => {
    const { needs } = COMMANDS[name]!;
    return needs === undefined || service[needs] !== undefined;
  });
}

function help(_argument: string, { names }: MainContext): string {
  return table(names.map((name) => {
    const { usage = "", summary } = COMMANDS[name]!;
    return [`${name} ${usage}`.trimEnd(), summary];
  }));
}

function status(_argument: string, { server, service, counter }: ServerContext): string {
  const trouble = service.trouble?.();
  // Since the thread began, which is when the server started.
  const seconds = Math.round(performance.now() / 1000);
  const { rss } = Deno.memoryUsage(); // 0 where there is no descriptor left to ask with
  const stored = service.stored?.();
  return table([
    ["address", addressOf(server) + (server.paused ? " (paused)" : "")],
    ["uptime", formatSeconds(seconds)],
    ["connections", `${server.connections}`],
    ["messages", `${counter.messages}${stored === undefined ? "" : ` (${stored})`}`],
    ["memory", rss ? `${Math.round(rss / 1024 / 1024)} MiB` : "unknown"],
    ...(trouble === undefined ? [] : [["storage", escapeControl(trouble)] as const]),
  ]);
}

function who(_argument: string, { server, service }: ServerContext): string {
  const now = performance.timeOrigin + performance.now();
  const peers = server.peers();
  const lines = peers.map((conn) => {
    const seconds = formatSeconds(Math.round((now - conn.connectedAt) / 1000));
    const more = service.detailOf?.(conn);
    const name = shownName(service.nameOf?.(conn));
    const browser = conn.protocol === "websocket" ? ["websocket"] : [];
    return [conn.id, name, conn.peer, seconds, ...browser, ...(more ? [more] : [])].join("  ");
  });
  const others = server.connections - peers.length;
  if (others > 0) lines.push(`${count(others, "connection")} for pages only`);
  return lines.join("\n") || "Nobody is connected";
}

async function pause(_argument: string, context: ServerContext): Promise<string> {
  const { server, service, drain } = context;
  if (server.paused) return "Paused already";
  const clients = server.peers().length;
  service.sendAway?.(true);
  await drain((signal) => server.pause({ signal }));
  return `Paused: ${count(clients, "client")} asked to come back. Type resume to go on`;
}

async function resume(_argument: string, { server, service }: ServerContext): Promise<string> {
  if (!server.paused) return "Not paused";
  service.sendAway?.(false);
  await server.resume();
  return `Listening on ${addressOf(server)}`;
}

async function logs(argument: string, { logPath, followLog }: MainContext): Promise<string> {
  const [, follow, digits, text = ""] = /^(?:(-f)|(\d+))?(?:(?:^|\s+)(.*))?$/s.exec(argument)!;
  const usage = "Usage: logs [N] [TEXT], with N from 1 up, or logs -f [TEXT]";
  if (follow) {
    followLog(text);
    return "Following the log: Enter ends it";
  }
  if (text.startsWith("-") || !/^([1-9]\d{0,8})?$/.test(digits ?? "")) return usage;
  const { showLog } = await import("../../lib/log/log_tail.ts");
  const lines = await showLog(logPath, Number(digits ?? 20), { text });
  const nothing = text ? `The log has no line with ${escapeControl(text)}` : "The log is empty";
  return lines.map(escapeControl).join("\n") || nothing;
}

async function reasons(): Promise<string> {
  const { END_REASONS } = await import("../logging/log_events.ts");
  return table(Object.entries(END_REASONS));
}

async function clearLogs(_argument: string, { logPath }: MainContext): Promise<string> {
  const { clearLog } = await import("../../lib/log/log_tail.ts");
  const { auditPath } = await import("../../lib/log/log_file.ts");
  await clearLog(logPath);
  const hadAudit = await clearLog(auditPath(logPath));
  return hadAudit ? "The log and the audit log are empty now" : "The log is empty now";
}

async function clearUsers(_argument: string, { service }: ServerContext): Promise<string> {
  return `Forgot ${count(await service.clearUsers!(), "user")}`;
}

function kick(target: string, { server, service }: ServerContext): string {
  if (!target) {
    return "Usage: kick WHO (a number, name or address that who shows; @3: the user called 3)";
  }
  const name = target.replace(/^@/, "");
  const isMeant = (conn: ConnInfo) => {
    if (/^\d+$/.test(target)) return `${conn.id}` === target;
    if (target === conn.peer || target === conn.address) return true;
    return isSameName(service.nameOf?.(conn) ?? "", name);
  };
  // Also those that only request pages, which `who` only counts.
  const ended = server.end("kicked", (conn) => {
    if (!isMeant(conn)) return false;
    service.onKick?.(conn);
    return true;
  });
  if (ended > 0) return `Ended ${count(ended, "connection")}`;
  if (/^\d+$/.test(target)) {
    return `There is no connection ${target}. If it is a name, type kick @${target}`;
  }
  return `No client has the name or address ${escapeControl(name)}`;
}

function say(text: string, { service }: ServerContext): string {
  return text ? `Said to ${count(service.say!(text), "connection")}` : "Usage: say TEXT";
}

function stop(_argument: string, context: MainContext): string {
  context.stop();
  return "";
}

function addressOf(server: Server): string {
  const { hostname, port } = server.addr;
  return joinHostPort(hostname, port);
}

/** A name without a letter, such as 3 or -, could be taken for a number or for no name. */
function shownName(name: string | undefined): string {
  if (name === undefined) return "-";
  return escapeControl(/\p{L}/u.test(name) ? name : `@${name}`);
}

function table(rows: (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join("\n");
}

function formatSeconds(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const long = `${hours ? `${hours} h ` : ""}${hours || minutes ? `${minutes} min ` : ""}`;
  return `${long}${seconds % 60} s`;
}
