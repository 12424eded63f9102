/**
 * Where names and passwords come from: a kept login, a file, or a person.
 *
 * @module
 */

import { isSameName, parseName } from "../../lib/chat/name.ts";
import {
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  passwordLength,
} from "../../lib/chat/lengths.ts";
import { NAME_REFUSALS } from "../session/first_questions.ts";
import type { Credentials, LoginStore, Refusal } from "../session/session_login.ts";

/** A person at a keyboard; `null` is the end of the input. */
export interface Person {
  /** Asks for a line. */
  question(prompt: string): Promise<string | null>;
  /** Asks for a line that is not shown. */
  secret(prompt: string): Promise<string | null>;
  /** Asks for a yes. */
  confirm(question: string): Promise<boolean>;
}

/** What a {@linkcode CredentialSource} uses. */
export interface CredentialSourceOptions {
  /** The logins kept from earlier runs. */
  logins?: LoginStore | undefined;
  /** The name, if it is known. */
  name?: string | undefined;
  /** Whether to make an account; a person is asked otherwise. */
  register: boolean;
  /** Reads the password, where it is in a file. */
  readPassword?: (() => Promise<string>) | undefined;
  /** The person to ask, if there is one. */
  person?: Person | undefined;
  /** Tells the person, before the first question, if there is no server. */
  findServer(): Promise<void>;
  /** Gives why no new account can have that name; `null` if one can, `undefined` if that is not known. */
  checkName(name: string): Promise<Refusal | null | undefined>;
  /** Shows why the last attempt failed, and what is missing. */
  tell(text: string): void;
}

/** The refusals after which neither the name is asked for again, nor whether the user is new. */
const ANSWERS_STAND_AFTER = ["weak_password", "throttled", "lost", "unavailable"];
const MAX_NAMES_OFFERED = 5;

/** Finds credentials: a kept login first, then a password, from the file or from the person. */
export class CredentialSource {
  readonly #options: CredentialSourceOptions;
  #name: string | undefined;
  #isNew: boolean | undefined;
  readonly #declined: string[] = []; // kept logins that are not to be used

  /** Asks nothing yet. */
  constructor(options: CredentialSourceOptions) {
    this.#options = options;
    this.#name = options.name;
  }

  /** Gives credentials, again after each refusal; `null` if there are none. */
  async next(refusal?: Refusal): Promise<Credentials | null> {
    const { person, readPassword, tell } = this.#options;
    if (refusal) {
      const seconds = Math.ceil((refusal.retryAfterMs ?? 0) / 1000);
      tell(seconds > 0 ? `${refusal.message} (in ${seconds} s)` : refusal.message);
      this.#name = refusal.name ?? this.#name;
    }
    if (person && !readPassword) return await this.#askPerson(person, refusal);
    return await this.#asProgram(refusal);
  }

  /** Without a person: the password is for the server that was meant, and is not sent again where it was refused. */
  async #asProgram(refusal?: Refusal): Promise<Credentials | null> {
    const { register, readPassword } = this.#options;
    const kept = await this.#keptNames();
    this.#name ??= kept[0];
    if (this.#name === undefined) return this.#giveUp("give --name, or start it at a terminal");
    const name = this.#name;
    if (!refusal && !register && kept.some((each) => isSameName(each, name))) return { name };
    if (!readPassword) return this.#giveUp("give --password-file, or start it at a terminal");
    if (refusal?.code === "not_sent") return this.#giveUp("--no-session sends the password anyway");
    if (refusal && refusal.code !== "lost" && !isEnded(refusal)) return null;
    return { name, password: await readPassword(), register };
  }

  async #askPerson(person: Person, refusal?: Refusal): Promise<Credentials | null> {
    const { register, findServer, checkName, tell } = this.#options;
    let mustAsk = await this.#learnFrom(person, refusal);
    const mayUseKept = !refusal && !register && this.#name !== undefined;
    if (mayUseKept && await this.#isKept(this.#name!)) return { name: this.#name! };
    if (!refusal) await findServer();
    for (;; mustAsk = true) {
      if (mustAsk || this.#name === undefined) {
        if (!await this.#askName(person)) return null;
        const name = this.#name!;
        if (!register && await this.#isKept(name)) {
          if (await person.confirm(`Use the login of ${name} kept here?`)) return { name };
          this.#decline();
          continue;
        }
      }
      this.#isNew ??= register || await person.confirm("Are you new here?");
      const refused = this.#isNew ? await checkName(this.#name!) : null;
      if (!refused) break;
      tell(refused.message);
      this.#decline();
    }
    return await this.#askPassword(person, this.#isNew);
  }

  /** Keeps the answers that were not the reason of a refusal; returns whether another name is needed. */
  async #learnFrom(person: Person, refusal?: Refusal): Promise<boolean> {
    if (!refusal || ANSWERS_STAND_AFTER.includes(refusal.code)) return false;
    this.#isNew = undefined;
    if (refusal.code === "not_sent") return false;
    if (NAME_REFUSALS.includes(refusal.code)) this.#decline();
    if (!isEnded(refusal)) return true;
    const { register, checkName } = this.#options;
    const refused = await checkName(this.#name!);
    const isTaken = refused && refused.code === "name_taken";
    // The first question is one for yes or no, which takes no rest of a line that is being typed for its answer.
    const isWanted = register && !isTaken || await person.confirm(
      isTaken ? `Log in again as ${this.#name}?` : `Make a new account for ${this.#name}?`,
    );
    this.#isNew = !isTaken && isWanted;
    // No password is of use for an account that is gone.
    const mustAsk = refused !== undefined && !isWanted;
    if (mustAsk) this.#decline();
    return mustAsk;
  }

  /** Neither the name nor a login kept under it is offered again. */
  #decline(): void {
    this.#declined.push(this.#name!);
    this.#name = this.#isNew = undefined;
  }

  async #askName(person: Person): Promise<boolean> {
    const kept = await this.#keptNames();
    const [first = "", ...others] = this.#name === undefined ? kept : [this.#name];
    const more = others.length > 0 ? ` (kept too: ${others.join(", ")})` : "";
    this.#isNew = undefined;
    for (;;) {
      const answer = await person.question(first === "" ? "Name: " : `Name [${first}]${more}: `);
      if (answer === null) return false;
      const parsed = parseName(answer.trim() === "" ? first : answer);
      if ("name" in parsed) {
        this.#name = kept.find((name) => isSameName(name, parsed.name)) ?? parsed.name;
        return true;
      }
      this.#options.tell(parsed.reason);
    }
  }

  async #askPassword(person: Person, isNew: boolean): Promise<Credentials | null> {
    const { tell } = this.#options;
    const least = `A password has at least ${MIN_PASSWORD_LENGTH} characters`;
    if (isNew) tell(least);
    for (;;) {
      const password = await person.secret(isNew ? "Choose a password: " : "Password: ");
      if (password === null) return null;
      const length = passwordLength(password);
      if (length > MAX_PASSWORD_LENGTH) {
        tell(`A password has at most ${MAX_PASSWORD_LENGTH} characters`);
      } else if (isNew && length < MIN_PASSWORD_LENGTH) {
        tell(least);
      } else {
        const again = isNew ? await person.secret("Once more: ") : password;
        if (again === null) return null;
        if (again === password) return { name: this.#name!, password, register: isNew };
        tell("These were two different passwords");
      }
    }
  }

  async #isKept(name: string): Promise<boolean> {
    return (await this.#keptNames()).some((kept) => isSameName(kept, name));
  }

  /** The names with a kept login that may be used, the last one used first. */
  async #keptNames(): Promise<string[]> {
    const names = (await this.#options.logins?.list() ?? []).map(({ name }) => name);
    return [...new Set(names.reverse())].filter((name) => !this.#declined.includes(name))
      .slice(0, MAX_NAMES_OFFERED);
  }

  #giveUp(advice: string): null {
    this.#options.tell(`Cannot log in: ${advice}`);
    return null;
  }
}

/** Whether a login that was valid has ended: it has expired, was revoked, or its account is gone. */
function isEnded(refusal?: Refusal): boolean {
  return refusal?.code === "unauthorized" && refusal.hadToken === true;
}
