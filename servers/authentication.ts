/**
 * Exercise 1.8: names, passwords, and tokens that let a client in again.
 *
 * @module
 */
import { join } from "node:path";
import { ACCOUNTS_SCHEMA, addLooks } from "../lib/store/account_schema.ts";
import { AccountStore } from "../lib/store/account_store.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { FAMILIAR_SCHEMA } from "../lib/store/familiar_networks.ts";
import type { ConnInfo } from "../lib/server/server_events.ts";
import { type Migration, openDatabase } from "../lib/store/database.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { MAX_CLIENT_BODY_BYTES } from "../lib/chat/protocol.ts";
import { SESSIONS_SCHEMA, SessionStore } from "../lib/store/session_store.ts";
import { attemptLog } from "./members/attempt_log.ts";
import { AuthDesk } from "./members/auth_desk.ts";
import { converse, type ConverseOptions } from "./members/converse.ts";
import type { ServerConfig } from "./control/config.ts";
import { countStrangers, logIn, type LogInOptions } from "./members/log_in.ts";
import { goodbyeMessage, replyError } from "./members/messages.ts";
import type { Service } from "./service.ts";
import { TroubleLog } from "./logging/trouble_log.ts";

/** The migrations of `auth.db`, for {@linkcode openDatabase}: the list only ever grows at its end. */
export const AUTH_MIGRATIONS: Migration[] = [
  ACCOUNTS_SCHEMA,
  SESSIONS_SCHEMA,
  addLooks,
  FAMILIAR_SCHEMA,
];

/** The names of those who have logged in, by connection. */
export type ConnNames = Map<ConnInfo, string>;

/** What the authentication server needs. */
export interface AuthenticationOptions extends LogInOptions, Pick<ConverseOptions, "pace"> {}

/** Makes the handler of the authentication server: it lets clients in, and tells them who they are. */
export function authenticationHandler(options: AuthenticationOptions, names: ConnNames): Handler {
  const { desk, server, pace, onError } = options;
  return async (conn, info) => {
    for (;;) {
      const entry = await logIn(conn, info, options);
      if (!entry) return;
      const { session } = entry;
      const answer = () => replyError(conn, "bad_message", `The ${server} server has no chat`);
      try {
        names.set(info, session.name);
        session.onRevoked = () => names.delete(info);
        if (!await converse(conn, { desk, session, pace, answer, onError })) return;
      } finally {
        names.delete(info);
        desk.leave(session);
      }
    }
  };
}

/** Opens the authentication server, which keeps `auth.db`. */
export function openAuthentication(config: ServerConfig, log: LogFile): Service {
  const trouble = new TroubleLog(log, "storage failed");
  const database = openDatabase(join(config.dataDir, "auth.db"), {
    migrations: AUTH_MIGRATIONS,
    onCommitted: trouble.end,
  });
  const { maxPerAddress } = config;
  const accounts = new AccountStore(database, { maxPerAddress });
  const desk = new AuthDesk(accounts, new SessionStore(database));
  const names: ConnNames = new Map();
  const [onAttempt, onError] = [attemptLog(log), trouble.tell];
  const strangers = countStrangers(config);
  return {
    handler: authenticationHandler({ desk, server: "auth", strangers, onAttempt, onError }, names),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => names.get(conn),
    isSecret: (conn) => !names.has(conn),
    clearUsers: () => desk.clear(),
    trouble: () => trouble.lasting,
    close: () => database.close(),
  };
}
