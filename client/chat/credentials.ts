/**
 * Where names and passwords come from: a kept token, a file, or a person.
 *
 * @module
 */

import { parseName } from "../../lib/chat/name.ts";
import {
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  passwordLength,
} from "../../lib/chat/password_length.ts";
import type { ErrorCode } from "../../lib/chat/protocol.ts";
import type { KeptToken, TokenFile } from "./token_file.ts";

/** What lets somebody in. */
export type Credentials =
  | { name: string; token: string }
  | { name: string; password: string; register: boolean };

/** Why credentials did not let anybody in; `lost`: the connection broke before the answer. */
export interface Refusal {
  /** Why, for programs. */
  code: ErrorCode | "lost";
  /** Why, in the server's words. */
  message: string;
  /** When another attempt makes sense, in milliseconds. */
  retryAfterMs?: number;
  /** The token that is of no use any more, if one was refused. */
  token?: string;
}

/** Somebody at a keyboard; `null` is the end of the input. */
export interface Person {
  /** Asks for a line. */
  question(prompt: string): Promise<string | null>;
  /** Asks for a line that is not shown. */
  secret(prompt: string): Promise<string | null>;
  /** Asks for a yes. */
  confirm(question: string): Promise<boolean>;
}

/** What {@linkcode CredentialSource} draws from. */
export interface CredentialSourceOptions {
  /** The server's address, by which tokens are kept. */
  server: string;
  /** The tokens kept from earlier runs. */
  tokens: TokenFile;
  /** The name, if it is known. */
  name?: string;
  /** Whether to make an account; a person is asked otherwise. */
  register: boolean;
  /** Reads the password, where it is in a file. */
  readPassword?(): Promise<string>;
  /** Whom to ask, if somebody is there. */
  person?: Person;
  /** Tells why the last attempt failed, and what is missing. */
  tell(text: string): void;
}

/** The refusals after which nobody is asked again for the name, nor whether they are new. */
const ANSWERS_STAND_AFTER = new Set(["weak_password", "throttled", "lost", "unavailable"]);

/** Finds credentials: a kept token first, then a password, from the file or from the person. */
export class CredentialSource {
  readonly #options: CredentialSourceOptions;
  #name: string | undefined;
  #isNew: boolean | undefined;

  /** Asks nothing yet. */
  constructor(options: CredentialSourceOptions) {
    this.#options = options;
    this.#name = options.name;
  }

  /** Gives credentials, once more after a refusal; `null` if there are none. */
  async next(refusal?: Refusal): Promise<Credentials | null> {
    if (refusal) await this.#explain(refusal);
    const { register, person, readPassword } = this.#options;
    if (!await this.#findName(refusal)) return null;
    const kept = refusal || register ? undefined : await this.#keptToken();
    if (kept) return { name: kept.name, token: kept.token };
    if (readPassword) return await this.#readFile(readPassword, refusal);
    if (person) return await this.#askPassword(person, refusal);
    return this.#giveUp("give --password-file, or start it at a terminal");
  }

  async #explain({ code, message, retryAfterMs, token }: Refusal): Promise<void> {
    const { tokens, tell } = this.#options;
    if (code === "unauthorized" && token !== undefined) await tokens.remove(token);
    const seconds = Math.ceil((retryAfterMs ?? 0) / 1000);
    tell(seconds > 0 ? `${message} (in ${seconds} s)` : message);
  }

  async #findName(refusal?: Refusal): Promise<boolean> {
    const { person, readPassword } = this.#options;
    const mayKeep = !refusal || refusal.code === "unauthorized" ||
      ANSWERS_STAND_AFTER.has(refusal.code);
    if (mayKeep && this.#name !== undefined) return true;
    if (person && !readPassword) return await this.#askName(person);
    this.#name ??= (await this.#keptToken())?.name;
    if (this.#name !== undefined) return true;
    this.#giveUp("give --name, or start it at a terminal");
    return false;
  }

  async #askName(person: Person): Promise<boolean> {
    const known = this.#name ?? (await this.#keptToken())?.name;
    for (;;) {
      const answer = await person.question(known === undefined ? "Name: " : `Name [${known}]: `);
      if (answer === null) return false;
      const parsed = parseName(answer.trim() === "" ? known ?? "" : answer);
      if ("name" in parsed) {
        this.#name = parsed.name;
        return true;
      }
      this.#options.tell(parsed.reason);
    }
  }

  #keptToken(): Promise<KeptToken | undefined> {
    return this.#options.tokens.find(this.#options.server, this.#name);
  }

  /** A file is read again for a new login, but what it says is not offered again to who refused it. */
  async #readFile(
    readPassword: () => Promise<string>,
    refusal?: Refusal,
  ): Promise<Credentials | null> {
    if (refusal && refusal.code !== "unauthorized" && refusal.code !== "lost") return null;
    const { register } = this.#options;
    return { name: this.#name!, password: await readPassword(), register };
  }

  async #askPassword(person: Person, refusal?: Refusal): Promise<Credentials | null> {
    const { register, tell } = this.#options;
    const knows = refusal && ANSWERS_STAND_AFTER.has(refusal.code) ? this.#isNew : undefined;
    // A login that is of no use any more has expired, or its account is gone.
    const isKnown = refusal?.token !== undefined;
    const question = isKnown ? `Make a new account for ${this.#name}?` : "Are you new here?";
    this.#isNew = knows ?? (register || await person.confirm(question));
    for (;;) {
      const password = await person.secret(this.#isNew ? "Choose a password: " : "Password: ");
      if (password === null) return null;
      const length = passwordLength(password);
      if (length > MAX_PASSWORD_LENGTH) {
        tell(`A password has at most ${MAX_PASSWORD_LENGTH} characters`);
      } else if (this.#isNew && length < MIN_PASSWORD_LENGTH) {
        tell(`A password has at least ${MIN_PASSWORD_LENGTH} characters`);
      } else {
        const again = this.#isNew ? await person.secret("Once more: ") : password;
        if (again === null) return null;
        if (again === password) return { name: this.#name!, password, register: this.#isNew };
        tell("These were two different passwords");
      }
    }
  }

  #giveUp(advice: string): null {
    this.#options.tell(`Cannot log in: ${advice}`);
    return null;
  }
}
