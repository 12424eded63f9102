/// <reference lib="dom" />
/**
 * Logins kept in the storage of the browser, so that the next visit needs no password.
 *
 * @module
 */

import { type KeptEntry, parseLogins, withLogin } from "../../session/kept_logins.ts";
import type { KeptLogin, LoginStore } from "../../session/login.ts";

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
