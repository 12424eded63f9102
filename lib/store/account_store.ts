/**
 * Accounts: names with passwords.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import {
  BAD_CREDENTIALS,
  NAME_TAKEN,
  type Refusal,
  throttled,
  WEAK_PASSWORD,
} from "../chat/login_refusal.ts";
import type { Database } from "./database.ts";
import type { Session, SessionStore } from "./session_store.ts";
import { storage } from "./storage_error.ts";
import { Semaphore } from "../base/semaphore.ts";
import { networkOf } from "../base/address.ts";
import { lookOf } from "../chat/confusables.ts";
import { FamiliarNetworks } from "./familiar_networks.ts";
import { LoginThrottle } from "./login_throttle.ts";
import { keyOfText } from "../chat/name.ts";
import { parseNewName } from "../chat/new_name.ts";
import {
  hashPassword,
  highestCosts,
  isPassword,
  needsRehash,
  PASSWORD_PARAMS,
  type PasswordParams,
  verifyPassword,
} from "./password.ts";
import { TokenBuckets } from "../base/token_bucket.ts";

/** Options for {@linkcode AccountStore}. */
export interface AccountStoreOptions {
  /**
   * What a hash costs. When it rises, each account's hash is made again at its next login.
   *
   * @default {PASSWORD_PARAMS}
   */
  params?: PasswordParams;
  /**
   * How many hashes may wait while two are being made; further requests are `throttled`.
   *
   * @default {256}
   */
  maxWaiting?: number;
  /**
   * How many accounts may be made from one address at once, before it is one every 10 s; an IPv6 address stands for its
   * network of 64 bits. 0 sets no limit.
   *
   * @default {64}
   */
  maxPerAddress?: number;
}

type Account = { id: number; name: string; hash: string };

const BUSY_RETRY_MS = 1_000;
// A class that registers at once finds a place, and the hashes before one take 5 s at most.
const MAX_WAITING = 256;
// A class registers at once, and a program neither fills the disk nor keeps the processors busy.
const MAX_PER_ADDRESS = 64;
const LATER_PER_SECOND = 0.1;

/**
 * Registers names with passwords, and starts sessions for who gives them.
 *
 * - **Same answer.** `authenticate` treats an unknown name like a wrong password: the same work, the same answer.
 * - **Slow for guessers.** Failures on a name and from an address make the next attempt wait, longer
 *   each time, up to 30 s and never more; see {@linkcode LoginThrottle}.
 * - **Slow to fill.** Unless told otherwise, from one address 64 accounts may be made at once, then one every 10 s.
 * - **Bounded.** At most two hashes are made at a time, and 256 wait for their turn.
 *
 * A refusal is a value. All methods throw {@linkcode StorageError} where storage is broken.
 */
export class AccountStore {
  readonly #database: Database;
  readonly #sessions: SessionStore;
  readonly #params: PasswordParams;
  readonly #refusalCosts: PasswordParams;
  readonly #hashing: Semaphore;
  readonly #familiar: FamiliarNetworks;
  readonly #throttle: LoginThrottle;
  readonly #registrations: TokenBuckets | undefined;
  readonly #find: StatementSync;
  readonly #findLike: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #clear: StatementSync;

  /**
   * Works on a database with the tables of `AUTH_MIGRATIONS`; closing it is the caller's.
   *
   * @param database Where accounts are kept.
   * @param sessions Where their sessions are kept: in the same database.
   * @param options Costs and limits.
   */
  constructor(database: Database, sessions: SessionStore, options: AccountStoreOptions = {}) {
    const { params = PASSWORD_PARAMS, maxWaiting = MAX_WAITING } = options;
    const { maxPerAddress: burst = MAX_PER_ADDRESS } = options;
    this.#database = database;
    this.#sessions = sessions;
    this.#params = params;
    const costs = database.prepare(
      "SELECT DISTINCT substr(hash, 16, instr(substr(hash, 16), '$') - 1) AS costs FROM accounts",
    ).all();
    this.#refusalCosts = highestCosts(params, costs.map(({ costs }) => `${costs}`));
    this.#hashing = new Semaphore({ maxRunning: 2, maxWaiting });
    this.#familiar = new FamiliarNetworks(database);
    this.#throttle = new LoginThrottle(this.#familiar);
    this.#registrations = burst === 0
      ? undefined
      : new TokenBuckets({ burst, perSecond: LATER_PER_SECOND });
    this.#find = database.prepare("SELECT id, name, hash FROM accounts WHERE key = ?");
    this.#findLike = database.prepare(
      "SELECT id FROM accounts WHERE key = ? OR written = ? OR capitals = ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO accounts (key, name, hash, written, capitals) VALUES (?, ?, ?, ?, ?)",
    );
    this.#update = database.prepare("UPDATE accounts SET hash = ? WHERE id = ?");
    this.#clear = database.prepare("DELETE FROM accounts");
  }

  /**
   * Makes an account and its first session, both or neither. Of several registrations of one name at once exactly one
   * succeeds.
   *
   * @param name The name wanted; see {@linkcode parseNewName}.
   * @param password The password; see {@linkcode isPassword}.
   * @param address The client's address, as {@linkcode normalizeAddress} spells it; without one nothing is counted.
   * @returns The session; or `bad_name`, `weak_password`, `name_taken`, `throttled`.
   */
  async register(name: string, password: string, address?: string): Promise<Session | Refusal> {
    const parsed = parseNewName(name);
    if ("reason" in parsed) return { code: "bad_name", message: parsed.reason };
    // The name first: a client asks by an empty password whether a name is free, before its user chooses one.
    const { written, capitals } = lookOf(parsed.name);
    const isTaken = () => this.#findLike.get(parsed.key, written, capitals) !== undefined;
    if (storage(isTaken)) return NAME_TAKEN;
    if (!isPassword(password)) return WEAK_PASSWORD;
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    const waitMs = address ? this.#registrations?.take(networkOf(address)) ?? 0 : 0;
    if (waitMs > 0) return throttled(waitMs);
    const hash = await this.#hashing.run(() => hashPassword(password, this.#params));
    if (hash === null) return throttled(BUSY_RETRY_MS);
    const outcome = this.#transaction(() => {
      if (isTaken()) return NAME_TAKEN;
      const row = [parsed.key, parsed.name, hash, written, capitals];
      const id = Number(this.#insert.run(...row).lastInsertRowid);
      return this.#sessions.create({ id, name: parsed.name });
    });
    if ("token" in outcome && address !== undefined) this.familiar(outcome.accountId, address);
    return outcome;
  }

  /**
   * Starts a session if the password is the one of that name.
   *
   * @param name The name, in any of its spellings.
   * @param password The password given.
   * @param address The client's address, as {@linkcode normalizeAddress} spells it.
   * @returns The session; or `bad_credentials`, `throttled`.
   */
  async authenticate(name: string, password: string, address: string): Promise<Session | Refusal> {
    const key = keyOfText(name); // A text that is not a name costs the same as a name without an account.
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    const waitMs = storage(() => this.#throttle.begin(key, address));
    if (waitMs > 0) return throttled(waitMs);
    const account = await this.#verify(key, password);
    if (account === null) return BAD_CREDENTIALS;
    this.#throttle.succeeded(key, address);
    const rehashed = await this.#rehashed(account, password);
    // While hashes were made, the account may have been removed, and the name taken by another.
    if (this.#account(key)?.id !== account.id) return BAD_CREDENTIALS;
    const session = this.#transaction(() => {
      if (rehashed) this.#update.run(rehashed, account.id);
      return this.#sessions.create(account);
    });
    this.familiar(account.id, address);
    return session;
  }

  /**
   * Notes that an account authenticated from an address, by a password or a token: guesses from elsewhere, or at other
   * names from there, do not make it wait there any more.
   *
   * @param accountId The account.
   * @param address The address, as {@linkcode normalizeAddress} spells it.
   */
  familiar(accountId: number, address: string): void {
    try {
      this.#familiar.add(accountId, networkOf(address));
    } catch {
      // A login must not depend on it; broken storage shows at the next write that matters.
    }
  }

  /** The account of a name, in any of its spellings. */
  find(name: string): { id: number; name: string } | undefined {
    const account = this.#account(keyOfText(name));
    return account && { id: account.id, name: account.name };
  }

  /**
   * Removes every account with its sessions. Each name may be registered again, from any address.
   *
   * @returns How many accounts there were.
   */
  clear(): number {
    const { changes } = this.#transaction(() => this.#clear.run());
    this.#registrations?.fill();
    return Number(changes);
  }

  /** The account if the password is right, `null` if not, after the same work for both. */
  async #verify(key: string, password: string): Promise<Account | null> {
    if (!isPassword(password)) return null; // It cannot be right, which is no secret.
    const account = this.#account(key);
    const matches = await this.#hashing.run(() =>
      verifyPassword(password, account?.hash, this.#refusalCosts)
    );
    return account !== undefined && matches ? account : null;
  }

  /** A new hash, if the old one was too cheap and this is not a busy moment. */
  async #rehashed({ hash }: Account, password: string): Promise<string | null> {
    if (!needsRehash(hash, this.#params)) return null;
    return await this.#hashing.run(() => hashPassword(password, this.#params));
  }

  #account(key: string): Account | undefined {
    return storage(() => this.#find.get(key)) as Account | undefined;
  }

  #transaction<T>(work: () => T): T {
    return storage(() => this.#database.transaction(work));
  }
}
