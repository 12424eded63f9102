/**
 * Exercise 1.8: names, passwords, and tokens that let a client in again.
 *
 * @module
 */
import { join } from "node:path";
import type { Handler } from "../lib/server/conversation.ts";
import { openDatabase } from "../lib/store/database.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { AUTH_MIGRATIONS } from "../lib/store/migrations.ts";
import { type ClientMessage, MAX_CLIENT_BODY_BYTES } from "../lib/chat/protocol.ts";
import { attemptLog } from "./members/attempt_log.ts";
import { Member } from "./members/member.ts";
import { Members } from "./members/members.ts";
import type { ServerConfig } from "./control/config.ts";
import { goodbyeMessage } from "./members/messages.ts";
import type { Service } from "./service.ts";
import { TroubleLog } from "./logging/trouble_log.ts";

/** A member of the authentication server, which knows who is logged in and has nothing else to offer. */
class EchoedMember extends Member {
  protected override answer(_message: ClientMessage): Promise<void> {
    return this.refuse({ code: "bad_message", message: "The auth server has no chat" }, _message);
  }
}

/** Makes the handler of the authentication server. */
export function authenticationHandler(members: Members): Handler {
  return (conn, info) => new EchoedMember(conn, info, members).serve();
}

/** Opens the authentication server, which keeps `auth.db`. */
export function openAuthentication(config: ServerConfig, log: LogFile): Service {
  const trouble = new TroubleLog(log, "storage failed");
  const database = openDatabase(join(config.dataDir, "auth.db"), {
    migrations: AUTH_MIGRATIONS,
    exclusive: true,
    onCommitted: trouble.end,
  });
  const members = new Members(database, {
    server: "auth",
    maxPerAddress: config.maxPerAddress,
    onAttempt: attemptLog(log),
    onStorageError: trouble.tell,
  });
  return {
    handler: authenticationHandler(members),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => members.nameOf(conn),
    isSecret: (conn) => members.nameOf(conn) === undefined,
    onKick: (conn) => members.kick(conn),
    clearUsers: () => members.clear(),
    trouble: () => trouble.lasting,
    close: () => database.close(),
  };
}
