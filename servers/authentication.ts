/**
 * Exercise 1.8: names, passwords, and tokens that let a client in again.
 *
 * @module
 */
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { AUTH_MIGRATIONS } from "../lib/store/migrations.ts";
import type { ClientMessage } from "../lib/chat/protocol.ts";
import { Member } from "./members/member.ts";
import type { Members } from "./members/members.ts";
import { openMembers } from "./members/members_service.ts";
import type { ServerConfig } from "./control/config.ts";
import { type Problem, problemOf } from "./members/messages.ts";
import type { Service } from "./service.ts";

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
  const { members, service } = openMembers(config, log, AUTH_MIGRATIONS);
  return { ...service, handler: authenticationHandler(members) };
}
