/// <reference lib="dom" />
/**
 * What the user logs in with: a login kept in the browser, or what the form asks for.
 *
 * @module
 */

import { parseName } from "../../../lib/chat/name.ts";
import {
  MAX_PASSWORD_LENGTH,
  MIN_PASSWORD_LENGTH,
  passwordLength,
} from "../../../lib/chat/lengths.ts";
import {
  type Credentials,
  type KeptEntry,
  type KeptLogin,
  type LoginStore,
  parseLogins,
  type Refusal,
  withLogin,
} from "../../session/session_login.ts";
import type { ChatEnd } from "../../session/session_options.ts";
import { safeText } from "../../../lib/base/escape.ts";
import { byId } from "../shared/dom.ts";
import { reasonOf, texts } from "../shared/texts.ts";

const KEY = "framed-logins";

/** The logins at one server. All tabs share them; each change reads what the others have kept. */
export class LocalLogins implements LoginStore {
  readonly #server: string;

  /** Takes the address of the server. */
  constructor(server: string) {
    this.#server = server;
  }

  /** Gives the logins kept for this server, the last one used at the end. */
  list(): Promise<KeptLogin[]> {
    // Without access to the storage there is none.
    return this.#try(() => this.#read()).catch(() => []);
  }

  /** Keeps a login in place of the earlier one of that name and data. */
  save(login: KeptLogin): Promise<void> {
    return this.#try(() =>
      this.#write(withLogin(this.#read(), { server: this.#server, ...login }))
    );
  }

  /** Forgets a token. */
  remove(token: string): Promise<void> {
    return this.#try(() => this.#write(this.#read().filter((kept) => kept.token !== token)));
  }

  /** Forgets the logins of a name. */
  removeName(name: string): Promise<void> {
    return this.#try(() => this.#write(this.#read().filter((kept) => kept.name !== name)));
  }

  #read(): KeptEntry[] {
    const entries = parseLogins(localStorage.getItem(KEY) ?? "") ?? [];
    return entries.filter(({ server }) => server === this.#server);
  }

  #write(entries: KeptEntry[]): void {
    if (entries.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(entries));
  }

  /** The storage may be switched off, or full. */
  #try<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => resolve(work()));
  }
}

/** Why an answer cannot be right, and the field that it is about. */
type Problem = { field: "name" | "password"; text: string };

const NAME_CODES = ["name_taken", "bad_name"];

/** Asks for credentials. */
export class LoginForm {
  readonly #form = byId("login-form", HTMLFormElement);
  readonly #name = byId("name", HTMLInputElement);
  readonly #password = byId("password", HTMLInputElement);
  readonly #problem = byId("login-problem");
  readonly #buttons = [byId("log-in", HTMLButtonElement), byId("register", HTMLButtonElement)];
  #answer: ((credentials: Credentials) => void) | undefined;

  /** Listens to the form. */
  constructor() {
    byId("not-encrypted").hidden = isSecretOnTheWay();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(event.submitter === this.#buttons[1]);
    });
  }

  /** Asks; `refusal` says why the last answer was refused, `notice` what else happened, `name` who it probably is. */
  async ask(
    { refusal, notice, name }: { refusal?: Refusal | undefined; notice: string; name: string },
  ): Promise<Credentials> {
    this.#setBusy(false);
    if (this.#name.value === "") this.#name.value = refusal?.name ?? name;
    const field = refusal && NAME_CODES.includes(refusal.code) ? "name" : "password";
    this.#show(refusal ? { field, text: textOf(refusal) } : undefined);
    if (!refusal) this.#problem.textContent = notice;
    this.#focus(field);
    return await new Promise<Credentials>((resolve) => this.#answer = resolve);
  }

  /** Forgets the password, which is not needed any more. */
  clear(): void {
    this.#password.value = "";
    this.#show(undefined);
  }

  /** Forgets the name too. */
  reset(): void {
    this.clear();
    this.#name.value = "";
  }

  #submit(register: boolean): void {
    const problem = this.#check(register);
    this.#show(problem);
    if (problem) return this.#focus(problem.field);
    this.#setBusy(true);
    this.#problem.textContent = texts.loggingIn;
    this.#answer?.({ name: this.#name.value, password: this.#password.value, register });
    this.#answer = undefined;
  }

  #check(register: boolean): Problem | undefined {
    const parsed = parseName(this.#name.value);
    const length = passwordLength(this.#password.value);
    if (this.#name.value.trim() === "") return { field: "name", text: texts.needName };
    if ("reason" in parsed) {
      return { field: "name", text: reasonOf({ code: "bad_name", message: parsed.reason }) };
    }
    if (length === 0) return { field: "password", text: texts.needPassword };
    const isWeak = register && (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH);
    return isWeak ? { field: "password", text: texts.passwordHint } : undefined;
  }

  #show(problem: Problem | undefined): void {
    this.#problem.textContent = problem?.text ?? "";
    this.#name.ariaInvalid = problem?.field === "name" ? "true" : null;
    this.#password.ariaInvalid = problem?.field === "password" ? "true" : null;
  }

  #focus(field: "name" | "password"): void {
    if (field === "name" || this.#name.value === "") this.#name.focus();
    else this.#password.focus();
  }

  #setBusy(isBusy: boolean): void {
    for (const each of this.#buttons) each.disabled = isBusy;
  }
}

/** What the form says after the end of a session that has left some messages unsent. */
export function noticeAfter(end: ChatEnd, unsent: number): string {
  const notice = end === "kicked"
    ? texts.kicked
    : end === "closed"
    ? texts.loggedOutHere
    : texts.loggedOut;
  return unsent > 0 ? `${notice} ${texts.notSent}: ${unsent}` : notice;
}

function textOf(refusal: Refusal): string {
  const reason = safeText(reasonOf(refusal));
  const seconds = Math.ceil((refusal.retryAfterMs ?? 0) / 1000);
  return seconds > 0 ? texts.inSeconds(reason, seconds) : reason;
}

/** Whether others cannot read what is sent: it is encrypted, or stays on this machine. */
function isSecretOnTheWay(): boolean {
  const { protocol, hostname } = location;
  return protocol === "https:" || /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}
