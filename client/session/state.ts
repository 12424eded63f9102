/**
 * What of a chat session outlives its connections, and how each message of the server changes it.
 *
 * @module
 */

import { isSameName } from "../../lib/chat/name.ts";
import {
  type ClientMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import { type ChatConnection, WrongServerError } from "./connection.ts";
import { isUsableName, Login, MAX_TOKEN_LENGTH } from "./session_login.ts";
import { type OwnMessage, PendingMessages } from "./pending.ts";
import { SeenMessages } from "./seen.ts";
import type { ChatSessionOptions, Outcome } from "./session_options.ts";

/** Why a private message is not sent that was typed under an earlier login. */
export const LOGIN_ENDED = "The login ended before it was sent: the name may be another user's now";

/** The login, what was seen, and what is to be sent. */
export class SessionState {
  /** What the user logs in with. */
  readonly login: Login;
  /** What is to be sent. */
  readonly pending = new PendingMessages((message) => this.#connection?.send(message));
  /** What was seen. */
  readonly seen = new SeenMessages();
  readonly #options: ChatSessionOptions;
  #connection: ChatConnection | undefined; // while the user is logged in
  #isGreeted = false;
  #name: string | undefined;
  #data: string | undefined;
  #isOtherLogin = false;
  #endedLogins = 0;
  #notKept: string | undefined;

  /** Knows nothing yet. */
  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.login = new Login(options.logins, options.tls ?? false);
  }

  /** How many logins have ended: what was typed before may be meant for accounts that are gone. */
  get endedLogins(): number {
    return this.#endedLogins;
  }

  /** The first message on a connection, and the one that brings the token. */
  hello(token: { token?: string } = {}): ClientMessage {
    this.#isGreeted = token.token !== undefined;
    const { history } = this.#options;
    const { newest: since } = this.seen;
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      ...token,
      ...(since !== undefined && { since }),
      ...(history !== undefined && { history }),
    };
  }

  /** Takes a message of the server; gives an outcome when the user is not logged in any more, or cannot be. */
  take(message: ServerMessage, connection: ChatConnection): Promise<Outcome | void> {
    switch (message.type) {
      case "hello":
        return this.#takeHello(message, connection);
      case "welcome":
        return this.#takeWelcome(message, connection);
      case "error":
        return this.#takeError(message, connection);
      case "bye":
        return this.#takeBye(message);
      default:
        return connection.isIn ? this.#show(message) : Promise.resolve();
    }
  }

  /** Asks for earlier messages; `onEnd` gets their number. */
  askPage(
    message: ClientMessage & { type: "history" },
    connection: ChatConnection,
    onEnd: (count: number) => void,
  ): void {
    const { before = (this.seen.newest ?? 0) + 1 } = message;
    this.seen.expectPage(before, onEnd);
    connection.send({ ...message, before });
    connection.ping(() => this.seen.endPage());
  }

  /** Keeps everything until the user is logged in again. */
  suspend(): void {
    this.#connection = undefined;
    this.pending.close();
    this.seen.forgetPages();
  }

  async #show(message: ServerMessage): Promise<void> {
    const { onMessage } = this.#options;
    switch (message.type) {
      case "message":
        if (this.seen.seeMessage(message)) await onMessage(message);
        return;
      case "said": {
        const own = this.pending.stored(message.ref);
        return await onMessage(message, this.seen.see(message.id) ? own : undefined);
      }
      default:
        await onMessage(message);
    }
  }

  async #takeHello(
    message: ServerMessage & { type: "hello" },
    connection: ChatConnection,
  ): Promise<Outcome | void> {
    // The second one answers the hello with the token.
    if (this.#isGreeted) return;
    const { version } = message;
    if (version !== PROTOCOL_VERSION) {
      throw new WrongServerError(
        `it speaks version ${version}, and this client ${PROTOCOL_VERSION}`,
      );
    }
    this.#isGreeted = true;
    await this.#options.onMessage(message);
    const answer = await this.login.answer(message);
    if ("code" in answer) return { refusal: answer };
    connection.send("token" in answer ? this.hello(answer) : answer);
  }

  async #takeWelcome(
    message: ServerMessage & { type: "welcome" },
    connection: ChatConnection,
  ): Promise<void> {
    if (connection.isIn || !this.#isGreeted) return;
    const { name, token, last } = message;
    if (!isUsableName(name) || token.length > MAX_TOKEN_LENGTH) {
      throw new WrongServerError("its welcome holds no valid name and token");
    }
    await this.#withdrawFor(name);
    this.seen.enter(last, this.#options.history !== 0);
    connection.isIn = true;
    this.#connection = connection;
    await this.#options.onMessage(message);
    // The answer comes after all that is shown of the history: if that is nothing, there was nothing to see.
    if (this.seen.newest === undefined) connection.ping(() => this.seen.seeNothingUpTo(last));
    this.pending.open();
    await this.login.welcome(message).catch((error: Error) => this.notKept(error));
  }

  /** Withdraws what was meant for other accounts, or typed by another user; another server's ids are not ours. */
  async #withdrawFor(name: string): Promise<void> {
    const { data } = this.login;
    const before = this.#name ?? name;
    const isOtherServer = this.#name !== undefined && data !== this.#data;
    if (isOtherServer) this.seen.reset();
    const isOtherAccount = isOtherServer || this.#isOtherLogin;
    this.#name = name;
    this.#data = data;
    this.#isOtherLogin = false;
    if (!isSameName(before, name)) {
      return await this.#withdraw(() => true, `You were ${before} when you typed it`);
    }
    if (!isOtherAccount) return;
    this.#endedLogins++;
    await this.#withdraw(({ type }) => type === "tell", LOGIN_ENDED);
  }

  async #withdraw(predicate: (own: OwnMessage) => boolean, message: string): Promise<void> {
    for (const own of this.pending.withdraw(predicate)) {
      const error = { type: "error", code: "unauthorized", message, ref: own.ref } as const;
      await this.#options.onMessage(error, own);
    }
  }

  async #takeError(
    message: ServerMessage & { type: "error" },
    connection: ChatConnection,
  ): Promise<Outcome | void> {
    if (!this.#isGreeted) return;
    const { ref = "", code, retryAfterMs } = message;
    if (connection.isIn && code !== "unauthorized") {
      return await this.#options.onMessage(message, this.pending.refused(ref, code, retryAfterMs));
    }
    const refusal = await this.login.refuse(message);
    if (refusal.hadToken && code === "unauthorized") this.#isOtherLogin = true;
    return { refusal };
  }

  async #takeBye(message: ServerMessage & { type: "bye" }): Promise<Outcome> {
    const { reason, retryAfterMs } = message;
    await this.#options.onMessage(message);
    if (reason === "kicked" || reason === "logged_out") return { end: reason };
    return { lost: { retryAfterMs }, bye: reason };
  }

  /** Reports, once, that the login is not kept. */
  notKept({ message }: Error): void {
    if (message !== this.#notKept) this.#options.onNotKept?.(message);
    this.#notKept = message;
  }
}
