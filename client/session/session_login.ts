/**
 * What a session logs in with: a password, or a token that is sent only to the server that gave it.
 *
 * @module
 */

import { isSameName, parseName } from "../../lib/chat/name.ts";
import type { ClientMessage, ErrorCode, ServerMessage } from "../../lib/chat/protocol.ts";

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

/** A login, and the address of its server, as in `127.0.0.1:9090`. */
export type KeptEntry = KeptLogin & { server: string };

/** When more logins are kept, the one that was used least recently goes. */
const MAX_LOGINS = 100;

/** Reads a list, the last login used at the end; `undefined` where the text is something else. */
export function parseLogins(text: string): KeptEntry[] | undefined {
  const list = text.trim(); // An editor may have put a byte order mark before it, which JSON does not allow.
  if (list === "") return [];
  try {
    const entries: unknown = JSON.parse(list);
    if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined;
    return entries.filter(({ name, token }) =>
      isUsableName(name) && token.length <= MAX_TOKEN_LENGTH
      // Those of earlier versions do not say what they were got from.
    ).map((entry) => ({ ...entry, tls: entry.tls === true }));
  } catch {
    // It is no JSON.
    return undefined;
  }
}

/** Adds a login in place of the earlier one of that name, server and data. */
export function withLogin(entries: KeptEntry[], added: KeptEntry): KeptEntry[] {
  const { server, name, tls, data } = added;
  const isOld = (kept: KeptEntry) =>
    kept.server === server && isSameName(kept.name, name) && kept.tls === tls &&
    (kept.data === data || kept.data === undefined);
  return [...entries.filter((kept) => !isOld(kept)), added].slice(-MAX_LOGINS);
}

function isEntry(value: unknown): value is KeptEntry {
  const { server, name, token, data = "" } = (value ?? {}) as Record<string, unknown>;
  return [server, name, token, data].every((field) => typeof field === "string");
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
