/**
 * The login handshake: `hello`, and then a token, a password or a new account.
 *
 * @module
 */
import {
  type ClientMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import type { GoodbyeReason } from "../../lib/server/end_reason.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { Session } from "../../lib/store/session_store.ts";
import type { Members } from "./members.ts";
import { type Problem, UNAVAILABLE } from "./messages.ts";

/** The longest message before login, in bytes. */
export const LOGIN_MAX_BODY_BYTES: number = 4 * 1024;

/** How long a client may take to log in, in milliseconds. */
export const LOGIN_MS = 10_000;

/** What a client is told when its session has ended while its connection lives on. */
export const SESSION_ENDED: Problem = {
  code: "unauthorized",
  message: "Your session was ended: log in again",
};

/** The first message of a client. */
export type Hello = ClientMessage & { type: "hello" };

/** A message that asks for a session. */
type Credential = Extract<ClientMessage, { type: "hello" | "login" | "register" }>;

/** The client that logs in. */
export interface LoginClient {
  /** Who is at the other end. */
  readonly info: ConnInfo;
  /** Sends one message. */
  send(message: ServerMessage): Promise<void>;
  /** Refuses a message; the connection lives on. */
  refuse(problem: Problem, message?: ClientMessage): Promise<void>;
}

/** Logs a client in, as often as it has no session. */
export class Login {
  readonly #client: LoginClient;
  readonly #members: Members;
  #hello: Hello | undefined;
  #hadSession = false;
  #deadline: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes the handshake of a client that has not said anything. */
  constructor(client: LoginClient, members: Members) {
    this.#client = client;
    this.#members = members;
  }

  /** What the client asked for. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** Aborts with the reason of a goodbye when the client has had its time; `undefined` while it need not log in. */
  get signal(): AbortSignal | undefined {
    return this.#deadline?.signal;
  }

  /** The client has to log in within a time that begins now. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#deadline = new AbortController();
    this.#timer = setTimeout(() => this.giveUp("idle"), this.#members.options.loginMs ?? LOGIN_MS);
  }

  /** The client has had its time, or another one gets its place. */
  giveUp(reason: GoodbyeReason): void {
    this.#deadline?.abort(reason);
  }

  /** The client is in, or gone. */
  end(): void {
    clearTimeout(this.#timer);
    this.#deadline = undefined;
    this.#hello = undefined;
    this.#hadSession = true;
  }

  /**
   * Answers one message, and gives the session that it began, if any.
   *
   * When a session has ended, each message is refused until the client says `hello`: it may have sent them before it knew.
   */
  async take(message: ClientMessage): Promise<Session | undefined> {
    if (this.#hadSession && message.type !== "hello") {
      if (!this.#deadline) this.begin();
      await this.#client.refuse(SESSION_ENDED, message);
      return undefined;
    }
    if (this.#hadSession) this.begin();
    if (message.type === "hello") await this.#takeHello(message);
    return await this.#begin(message);
  }

  async #takeHello(hello: Hello): Promise<void> {
    const { options: { server }, dataId: data } = this.#members;
    await this.#client.send({ type: "hello", version: PROTOCOL_VERSION, server, data });
    const isUnderstood = hello.version === PROTOCOL_VERSION;
    if (isUnderstood) this.#members.unauthenticated.greeted(this.#client.info);
    this.#hello = isUnderstood ? hello : undefined;
    this.#hadSession = false;
    if (isUnderstood) return;
    await this.#refuse(hello, "bad_message", `This server speaks version ${PROTOCOL_VERSION}`);
  }

  async #begin(message: ClientMessage): Promise<Session | undefined> {
    if (message.type === "hello") {
      // One without a token asks for nothing yet.
      if (message.token === undefined || !this.#hello) return undefined;
    } else if (!this.#hello) {
      await this.#refuse(message, "bad_message", "Say hello first");
      return undefined;
    }
    if (!isCredential(message)) {
      await this.#refuse(message, "unauthorized", "Log in or register first");
      return undefined;
    }
    const outcome = await this.#authenticate(message);
    if ("token" in outcome) return outcome;
    await this.#client.refuse(outcome, message);
    return undefined;
  }

  /** A session, or why there is none. Each attempt is reported. */
  async #authenticate(message: Credential): Promise<Session | Problem> {
    const { type } = message;
    const { onAttempt } = this.#members.options;
    const { info } = this.#client;
    try {
      const outcome = await this.#outcomeOf(message, info.address);
      const { name, code } = { name: undefined, code: undefined, ...outcome };
      onAttempt?.(info, { type, name, code });
      return outcome;
    } catch (error) {
      onAttempt?.(info, { type, code: UNAVAILABLE.code });
      throw error;
    }
  }

  async #outcomeOf(message: Credential, address: string): Promise<Session | Problem> {
    const { accounts, sessions } = this.#members;
    switch (message.type) {
      case "hello": {
        const session = sessions.resume(message.token!);
        if (session) accounts.familiar(session.accountId, address);
        const text = "The token is not valid any more: log in";
        return session ?? { code: "unauthorized", message: text };
      }
      case "register":
        return await accounts.register(message.name, message.password, address);
      case "login":
        return await accounts.authenticate(message.name, message.password, address);
    }
  }

  #refuse(to: ClientMessage, code: Problem["code"], message: string): Promise<void> {
    return this.#client.refuse({ code, message }, to);
  }
}

function isCredential(message: ClientMessage): message is Credential {
  return message.type === "hello" || message.type === "login" || message.type === "register";
}
