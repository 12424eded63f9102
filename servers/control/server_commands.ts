/**
 * The console's commands that need the server itself: they run in the listening thread.
 *
 * @module
 */
import type { ConnInfo } from "../../lib/server/server_events.ts";
import { count } from "../../lib/base/count.ts";
import { joinHostPort } from "../../lib/base/endpoint.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import { isSameName } from "../../lib/chat/name.ts";
import type { Server } from "../../lib/server/server.ts";
import type { Service } from "../service.ts";

/** What the commands work on. */
export interface ServerCommandsOptions {
  /** The server at work. */
  server: Server;
  /** The exercise it serves. */
  service: Service;
  /** Where each command leaves a line. */
  log: LogFile;
  /** Counts the messages received and sent since the start. */
  counter: { messages: number };
  /** Ends the server. */
  stop(): Promise<void>;
}

/** How long a pause, or the end of the server, waits for conversations to end, in milliseconds. */
export const DRAIN_MS = 5000;

/** Runs commands on a server. */
export class ServerCommands {
  readonly #options: ServerCommandsOptions;
  readonly #startedAt = performance.now();
  readonly #commands: Record<string, (argument: string) => string | Promise<string>> = {
    "status": () => this.#status(),
    "who": () => this.#who(),
    "pause": () => this.#pause(),
    "resume": () => this.#resume(),
    "clear-users": () => this.#clearUsers(),
    "kick": (name) => this.#kick(name),
    "say": (text) => this.#say(text),
    "stop": () => this.#stop(),
  };

  /** Needs what a running server consists of. */
  constructor(options: ServerCommandsOptions) {
    this.#options = options;
  }

  /**
   * Runs one command and gives the answer for the operator. Never rejects.
   *
   * The argument of `stop` is what asked for it, if nobody typed it.
   */
  async run(command: string, argument: string): Promise<string> {
    try {
      this.#log(command, argument);
      return await this.#commands[command]!(argument);
    } catch (error) {
      return `Cannot run ${command}: ${error instanceof Error ? error.message : error}`;
    } finally {
      // The operator may look into the log next.
      this.#options.log.flush();
    }
  }

  /** Who was kicked is noted; what was said is not. */
  #log(command: string, argument: string): void {
    const { log } = this.#options;
    if (command === "stop" && argument) return log.info("stop", { by: argument });
    log.info("command", { command, ...(command === "kick" && { argument }) });
  }

  #status(): string {
    const { server, service, counter } = this.#options;
    const trouble = service.trouble?.();
    const stored = service.stored?.();
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const { rss } = Deno.memoryUsage(); // 0 where there is no descriptor left to ask with
    return [
      `address      ${this.#address}${server.paused ? " (paused)" : ""}`,
      `uptime       ${formatSeconds(seconds)}`,
      `connections  ${server.connections}`,
      `messages     ${counter.messages}`,
      `memory       ${rss ? `${Math.round(rss / 1024 / 1024)} MiB` : "unknown"}`,
      ...(stored === undefined ? [] : [`stored       ${stored}`]),
      ...(trouble === undefined ? [] : [`storage      ${escapeControl(trouble)}`]),
    ].join("\n");
  }

  #who(): string {
    const now = performance.timeOrigin + performance.now();
    const lines = this.#options.server.peers().map((conn) => {
      const seconds = Math.round((now - conn.connectedAt) / 1000);
      return `${conn.id}  ${this.#nameOf(conn)}  ${conn.peer}  ${formatSeconds(seconds)}`;
    });
    return lines.join("\n") || "Nobody is connected";
  }

  async #pause(): Promise<string> {
    const { server, service } = this.#options;
    if (server.paused) return "Paused already";
    const { connections } = server;
    service.sendAway?.(true);
    await server.pause({ signal: AbortSignal.timeout(DRAIN_MS) });
    return `Paused: ${count(connections, "client")} asked to come back. Type resume to go on`;
  }

  async #resume(): Promise<string> {
    const { server, service } = this.#options;
    if (!server.paused) return "Not paused";
    service.sendAway?.(false);
    await server.resume();
    return `Listening on ${this.#address}`;
  }

  async #clearUsers(): Promise<string> {
    const { service } = this.#options;
    if (!service.clearUsers) return "This server keeps no users";
    return `Forgot ${count(await service.clearUsers(), "user")}`;
  }

  #kick(name: string): string {
    if (!name) return "Usage: kick NAME (a name, an address or a number as who shows them)";
    const { server, service } = this.#options;
    const kicked = server.peers().filter((conn) => this.#isCalled(conn, name));
    for (const conn of kicked) service.onKick?.(conn);
    const ended = server.end("kicked", (conn) => kicked.includes(conn));
    const nobody = `Nobody here is called ${escapeControl(name)}`;
    return ended ? `Ended ${count(ended, "connection")}` : nobody;
  }

  #isCalled(conn: ConnInfo, name: string): boolean {
    if ([`${conn.id}`, conn.peer, conn.address].includes(name)) return true;
    return isSameName(this.#options.service.nameOf?.(conn) ?? "", name);
  }

  #say(text: string): string {
    const { service } = this.#options;
    if (!service.say) return "This server is no chat";
    return text ? `Said to ${count(service.say(text), "connection")}` : "Usage: say TEXT";
  }

  async #stop(): Promise<string> {
    this.#options.service.sendAway?.(true);
    await this.#options.stop();
    return "Stopped";
  }

  get #address(): string {
    const { hostname, port } = this.#options.server.addr;
    return joinHostPort(hostname, port);
  }

  #nameOf(conn: ConnInfo): string {
    return escapeControl(this.#options.service.nameOf?.(conn) ?? "-");
  }
}

function formatSeconds(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours} h ` : ""}${hours || minutes ? `${minutes} min ` : ""}${
    seconds % 60
  } s`;
}
