/**
 * What an exercise gives to the launcher: its handler, and what the control console can do with it.
 *
 * @module
 */
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import type { Silence } from "../lib/server/http_protocol.ts";
import type { ConnInfo, ServerEvent } from "../lib/server/server_events.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import type { ServeOptions } from "../lib/server/serve_options.ts";
import type { ServerConfig } from "./control/config.ts";

/** One running exercise. */
export interface Service {
  /** Talks to each client. */
  handler: Handler<MessageConn>;
  /** Takes its place where the bytes are no frames. */
  rawHandler?: Handler;
  /** How long a peer may be silent before it is taken for one that speaks frames: where the handler speaks first. */
  silence?: Silence;
  /** What the exercise asks of the server beyond the flags. */
  options?: ServeOptions;
  /** The name of the user of a connection, once it is known. */
  nameOf?(conn: ConnInfo): string | undefined;
  /** What `who` shows of a connection besides, as `thread 3`. */
  detailOf?(conn: ConnInfo): string | undefined;
  /** Whether the sizes of a connection's messages are kept out of the log: those of passwords are. */
  isSecret?(conn: ConnInfo): boolean;
  /** Called before the operator ends the conversation of a connection. */
  onKick?(conn: ConnInfo): void;
  /** Forgets every user and gives their number. */
  clearUsers?(): number | Promise<number>;
  /** Says something to all users and gives the number of connections that get it. */
  say?(text: string): number;
  /** Called with `true` before all clients are sent away for a pause or the end, and with `false` before the server resumes. */
  sendAway?(isAway: boolean): void;
  /** Since when it cannot store what it should, and why; `undefined` while all is well. */
  trouble?(): string | undefined;
  /** How many messages it has stored, for the operator. */
  stored?(): string;
  /** Closes what the service opened. */
  close?(): void | Promise<void>;
}

/** Opens a service, which may read and write below `config.dataDir`; `onEvent` takes events that the server cannot see. */
export type OpenService = (
  config: ServerConfig,
  log: LogFile,
  onEvent: (event: ServerEvent) => void,
) => Service | Promise<Service>;
