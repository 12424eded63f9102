/**
 * Exercise 1.8: names, passwords, and tokens that let a client in again.
 *
 * @module
 */
import { join } from "node:path";
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { openDatabase } from "../lib/store/database.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { AUTH_MIGRATIONS } from "../lib/store/migrations.ts";
import { type ClientMessage, MAX_CLIENT_BODY_BYTES } from "../lib/chat/protocol.ts";
import { attemptLog } from "./members/attempt_log.ts";
import { LOGIN_MS } from "./members/login.ts";
import { Member } from "./members/member.ts";
import { Members } from "./members/members.ts";
import type { ServerConfig } from "./control/config.ts";
import { goodbyeMessage, type Problem, problemOf } from "./members/messages.ts";
import type { Service } from "./service.ts";
import { TroubleLog } from "./logging/trouble_log.ts";

/** Greets a client by its name, and sends its texts back: what a token gives access to is not the point here. */
class GreetedMember extends Member {
  #texts = 0;

  protected override get greeting(): string {
    return `Hello, ${this.session!.name}! What you send comes back`;
  }

  protected override async answer(message: ClientMessage): Promise<void> {
    if (message.type !== "say") return await this.refuse(NO_CHAT, message);
    const { ref, text } = message;
    const problem = problemOf(text);
    if (problem) return await this.refuse(problem, message);
    await this.send({ type: "said", ref, id: ++this.#texts });
    await this.send({ type: "notice", text: `${this.session!.name}: ${text}` });
  }
}

const NO_CHAT: Problem = { code: "bad_message", message: "The auth server has no chat" };

/** Makes the handler of the authentication server. */
export function authenticationHandler(members: Members): Handler<MessageConn> {
  return (conn, info) => new GreetedMember(conn, info, members).serve();
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
    silence: members.unauthenticated.silence(LOGIN_MS),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => members.nameOf(conn),
    isSecret: (conn) => members.nameOf(conn) === undefined,
    onKick: (conn) => members.kick(conn),
    clearUsers: () => members.clear(),
    trouble: () => trouble.lasting,
    close: () => database.close(),
  };
}
