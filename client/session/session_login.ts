/**
 * What a session logs in with: a password, or a token that is sent only to the server that gave it.
 *
 * @module
 */

import { isSameName, parseName } from "../../lib/chat/name.ts";
import {
  type ClientMessage,
  type ErrorCode,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import { type ChatConn, ChatConnection } from "./connection.ts";

/** What a user logs in with. A name alone stands for the login kept under it. */
export type Credentials = { name: string; password?: never } | {
  name: string;
  password: string;
  register: boolean;
};

/** A token, and what it was got from. */
export interface KeptLogin {
  /** The user. */
  name: string;
  /** The secret. */
  token: string;
  /** Whether the connection was encrypted. */
  tls: boolean;
  /** The id of the server's data, from its `hello`. A login without one is never kept. */
  data?: string;
}

/** The longest token that is taken, in characters; those of this kit have 43. */
export const MAX_TOKEN_LENGTH = 256;

/** Whether a text from a server, or from a file, is a name as servers spell it. */
export function isUsableName(text: string): boolean {
  const parsed = parseName(text);
  return "name" in parsed && parsed.name === text;
}

/** Where the logins at one address are kept between runs; browsers have a storage, programs a file. */
export interface LoginStore {
  /** Gives the logins kept for this address, the last one used at the end. */
  list(): Promise<KeptLogin[]>;
  /** Keeps a login in place of the earlier one of that name and data; rejects with the reason if it cannot. */
  save(login: KeptLogin): Promise<void>;
  /** Forgets a token. */
  remove(token: string): Promise<void>;
}

/**
 * Why a login failed. `lost`: the connection broke before the answer; `not_sent`: the server is not the one that gave
 * the token.
 */
export interface Refusal {
  /** The reason, for programs. */
  code: ErrorCode | "lost" | "not_sent";
  /** The reason, for people. */
  message: string;
  /** When another attempt makes sense, in milliseconds. */
  retryAfterMs?: number;
  /** Whether a token was refused, and not a password. */
  hadToken?: boolean;
  /** The name as it was registered, where that is known. */
  name?: string;
}

/** The refusals that are for the name alone. */
export const NAME_REFUSALS: readonly Refusal["code"][] = ["name_taken", "bad_name"];

/** The login of one session: the credentials for the next connection, and the token that came with the last welcome. */
export class Login {
  readonly #store: LoginStore | undefined;
  readonly #tls: boolean;
  #credentials: Credentials | undefined;
  #token: KeptLogin | undefined;
  #data: string | undefined;

  /** Takes where logins are kept, and whether connections are encrypted. */
  constructor(store: LoginStore | undefined, tls: boolean) {
    this.#store = store;
    this.#tls = tls;
  }

  /** Whether there is something to log in with. */
  get isReady(): boolean {
    return this.#credentials !== undefined || this.#token !== undefined;
  }

  /** The id of the data of the server that is connected, if it gave one. */
  get data(): string | undefined {
    return this.#data;
  }

  /** Takes new credentials. */
  take(credentials: Credentials): void {
    this.#credentials = credentials;
    this.#token = undefined;
  }

  /** Answers the `hello` of a server: with a token, or a password, which is sent once; or says why it does not. */
  async answer(
    { data }: { data?: string },
  ): Promise<{ token: string } | ClientMessage & { type: "register" | "login" } | Refusal> {
    this.#data = data;
    const credentials = this.#credentials;
    this.#credentials = undefined;
    if (credentials?.password !== undefined) {
      const { name, password, register } = credentials;
      return { type: register ? "register" : "login", name, password };
    }
    const logins = this.#token ? [this.#token] : await this.#keptFor(credentials!.name);
    const login = logins.findLast((each) => this.#whyNot(each) === undefined);
    const last = logins.at(-1);
    const message = last ? this.#whyNot(last)! : "No login is kept under this name";
    this.#token = login;
    return login ? { token: login.token } : { code: "not_sent", message };
  }

  /** Takes the token of a welcome, and keeps it for the next run; rejects with the reason if that cannot be. */
  async welcome({ name, token }: { name: string; token: string }): Promise<void> {
    const data = this.#data;
    this.#token = { name, token, tls: this.#tls, ...(data !== undefined && { data }) };
    if (!this.#store) return;
    if (data === undefined) throw new Error("this server does not identify its data");
    await this.#store.save(this.#token);
  }

  /** Takes a refusal, and gives it in full. A token that is not valid any more is forgotten. */
  async refuse(
    { code, message, retryAfterMs }: ServerMessage & { type: "error" },
  ): Promise<Refusal> {
    const token = this.#token;
    // Where it cannot be forgotten, it is refused again at the next start.
    if (code === "unauthorized") await this.forget().catch(() => {});
    this.#token = undefined;
    return {
      code,
      message,
      hadToken: token !== undefined,
      ...(token && { name: token.name }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }

  /** Forgets the token. */
  async forget(): Promise<void> {
    if (this.#token) await this.#store?.remove(this.#token.token);
  }

  async #keptFor(name: string): Promise<KeptLogin[]> {
    return (await this.#store?.list() ?? []).filter((login) => isSameName(login.name, name));
  }

  #whyNot({ name, tls, data }: KeptLogin): string | undefined {
    const kept = `The login of ${name} is not sent`;
    if (tls && !this.#tls) return `${kept}: it was got over TLS, and this connection has none`;
    if (!tls && this.#tls) return `${kept}: it was got without TLS`;
    // Without data only what was got in this run is sent: an old server's clients reconnect as they did.
    if (data === undefined && !this.#token) return `${kept}: it is of an unknown server`;
    if (data === this.#data) return undefined;
    return this.#data === undefined
      ? `${kept}: this server does not identify its data`
      : `${kept}: this is another server, or it has other data than before`;
  }
}

/** How long a server has to answer before the login, in milliseconds. */
const ANSWER_MS = 3000;

/** Rejects with the reason if no server answers; so that no password is typed for one that is not there. */
export function findServer(connect: (signal: AbortSignal) => Promise<ChatConn>): Promise<void> {
  return withHello(connect, () => Promise.resolve());
}

/**
 * Asks a server, on a connection of its own, whether it would refuse a name for a new account: a registration without a
 * password is refused for the name first.
 *
 * @returns The refusal, `name_taken` or `bad_name`; `null` for a name that is free; `undefined` where the server does not
 * tell, as one does whose `hello` has no `data`.
 */
export async function checkName(
  name: string,
  connect: (signal: AbortSignal) => Promise<ChatConn>,
): Promise<Refusal | null | undefined> {
  try {
    return await withHello(connect, async (connection, hello) => {
      if (hello.type !== "hello" || !hello.data) return undefined;
      connection.send({ type: "register", name, password: "" });
      const answer = await connection.receive();
      if (!answer || !("type" in answer) || answer.type !== "error") return undefined;
      if (answer.code === "weak_password") return null;
      return NAME_REFUSALS.includes(answer.code) ? answer : undefined;
    });
  } catch {
    // The login that follows says what is wrong with the connection.
    return undefined;
  }
}

/** Uses a connection on which the server has answered a `hello`, and closes it; all of that within `ANSWER_MS`. */
async function withHello<T>(
  connect: (signal: AbortSignal) => Promise<ChatConn>,
  use: (connection: ChatConnection, answer: ServerMessage) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  let connection: ChatConnection | undefined;
  const timer = setTimeout(() => {
    timeout.abort(new DOMException("The server does not answer", "TimeoutError"));
    connection?.close();
  }, ANSWER_MS);
  try {
    connection = new ChatConnection(await connect(timeout.signal));
    connection.send({ type: "hello", version: PROTOCOL_VERSION });
    const answer = await connection.receive();
    timeout.signal.throwIfAborted();
    if (answer instanceof Error) throw answer;
    if (answer === null) throw new Error("the server closed the connection");
    return await use(connection, answer);
  } finally {
    clearTimeout(timer);
    connection?.close();
  }
}
