/**
 * Who may come in: accounts, tokens, and the sessions going on.
 *
 * @module
 */
import type { Refusal } from "../../lib/store/account_refusal.ts";
import type { AccountStore } from "../../lib/store/account_store.ts";
import { keyOfName } from "../../lib/chat/name.ts";
import type { SessionStore } from "../../lib/store/session_store.ts";

/** A person for a while, on one connection: not the connection itself. */
export interface Session {
  /** The name as it was registered. */
  readonly name: string;
  /** What tells users apart: equal for all spellings of the name. */
  readonly key: string;
  /** What lets the person in again, until it expires or is revoked. */
  readonly token: string;
  /** When the token expires unless it is used before, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** Whether the token was revoked meanwhile: then nothing may be done in its name any more. */
  revoked: boolean;
  /** Called when that happens. */
  onRevoked?: () => void;
}

/** Opens and ends sessions. Refusals are values: an exception would invite telling too much. */
export class AuthDesk {
  readonly #accounts: AccountStore;
  readonly #tokens: SessionStore;
  readonly #live = new Set<Session>();

  /** Works on stores that it does not own. */
  constructor(accounts: AccountStore, tokens: SessionStore) {
    this.#accounts = accounts;
    this.#tokens = tokens;
  }

  /** Makes an account and a session. */
  async register(name: string, password: string, address?: string): Promise<Session | Refusal> {
    const result = await this.#accounts.register(name, password, address);
    return result.ok ? this.#begin(result.name) : result;
  }

  /** Makes a session for who knows the password. */
  async logIn(name: string, password: string, address: string): Promise<Session | Refusal> {
    const result = await this.#accounts.authenticate(name, password, address);
    return result.ok ? this.#begin(result.name) : result;
  }

  /** Makes a session for who has a valid token; `null` otherwise. */
  resume(token: string): Session | null {
    const resumed = this.#tokens.resume(token);
    return resumed && this.#enter({ ...resumed, token });
  }

  /** Revokes the session's token, for all sessions that came in by it. */
  logOut(session: Session): void {
    this.#tokens.revoke(session.token);
    this.#revoke((live) => live.token === session.token);
  }

  /** To be called when the connection of a session has ended. Its token stays valid. */
  leave(session: Session): void {
    this.#live.delete(session);
  }

  /** The name of a user in its one spelling; `undefined` where there is no such user. */
  nameOf(name: string): string | undefined {
    return this.#accounts.nameOf(name);
  }

  /** Forgets all accounts, revokes every token and session, and tells how many accounts there were. */
  clear(): number {
    const cleared = this.#accounts.clear();
    this.#revoke(() => true);
    return cleared;
  }

  #revoke(whether: (live: Session) => boolean): void {
    const revoked = [...this.#live].filter((live) => whether(live) && !live.revoked);
    for (const session of revoked) session.revoked = true;
    // Only now, for none of them may hear of the others' leaving.
    for (const session of revoked) session.onRevoked?.();
  }

  #begin(name: string): Session {
    return this.#enter({ name, ...this.#tokens.create(name) });
  }

  #enter(entry: { name: string; token: string; expiresAt: number }): Session {
    const session = { ...entry, key: keyOfName(entry.name), revoked: false };
    this.#live.add(session);
    return session;
  }
}
