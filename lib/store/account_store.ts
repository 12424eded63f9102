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
} from "./account_refusal.ts";
import type { Database } from "./database.ts";
import type { Session, SessionStore } from "./session_store.ts";
import { storage } from "./storage_error.ts";
import { Gate } from "../base/gate.ts";
import { networkOf } from "../base/address.ts";
import { LoginThrottle } from "./login_throttle.ts";
import { keyOfText, parseName } from "../chat/name.ts";
import {
  hashPassword,
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
   * How many hashes may wait while two are being made; whoever comes then is `throttled`.
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
  /**
   * The clock that failures are slowed by, in milliseconds; see {@linkcode LoginThrottle}.
   *
   * @default {() => performance.now()}
   */
  now?(): number;
}

interface Account {
  id: number;
  name: string;
  hash: string;
}

const BUSY_RETRY_MS = 1_000;
// A class that registers at once finds a place, and in a flood nobody waits for longer than the hashes before theirs
// take: about 5 s. Who waits costs next to nothing: the memory of a hash is taken when it is made.
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
  readonly #hashing: Gate;
  readonly #throttle: LoginThrottle;
  readonly #registrations: TokenBuckets | undefined;
  readonly #find: StatementSync;
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
    const { params = PASSWORD_PARAMS, maxWaiting = MAX_WAITING, now } = options;
    const { maxPerAddress: burst = MAX_PER_ADDRESS } = options;
    this.#database = database;
    this.#sessions = sessions;
    this.#params = params;
    this.#hashing = new Gate({ maxRunning: 2, maxWaiting });
    this.#throttle = new LoginThrottle(now);
    this.#registrations = burst === 0
      ? undefined
      : new TokenBuckets({ burst, perSecond: LATER_PER_SECOND, ...(now && { now }) });
    this.#find = database.prepare("SELECT id, name, hash FROM accounts WHERE key = ?");
    this.#insert = database.prepare(
      "INSERT INTO accounts (key, name, hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#update = database.prepare("UPDATE accounts SET hash = ? WHERE id = ?");
    this.#clear = database.prepare("DELETE FROM accounts");
  }

  /**
   * Makes an account and its first session, both or neither. Of several registrations of one name at once exactly one
   * succeeds.
   *
   * @param name The name wanted; see {@linkcode parseName}.
   * @param password The password; see {@linkcode isPassword}.
   * @param address The client's address, as {@linkcode normalizeAddress} spells it; without one nothing is counted.
   * @returns The session; or `bad_name`, `weak_password`, `name_taken`, `throttled`.
   */
  async register(name: string, password: string, address?: string): Promise<Session | Refusal> {
    const parsed = parseName(name);
    if ("reason" in parsed) return { code: "bad_name", message: parsed.reason };
    // The name first: a client asks by an empty password whether a name is free, before its user chooses one.
    if (this.#account(parsed.key) !== undefined) return NAME_TAKEN;
    if (!isPassword(password)) return WEAK_PASSWORD;
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    const waitMs = this.#registrationWaitMs(address);
    if (waitMs > 0) return throttled(waitMs);
    const hash = await this.#hashing.run(() => hashPassword(password, this.#params));
    if (hash === null) return throttled(BUSY_RETRY_MS);
    return this.#transaction(() => {
      const { changes, lastInsertRowid } = this.#insert.run(parsed.key, parsed.name, hash);
      if (changes === 0) return NAME_TAKEN;
      return this.#sessions.create({ id: Number(lastInsertRowid), name: parsed.name });
    });
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
    const waitMs = this.#throttle.waitMs(key, address);
    if (waitMs > 0) return throttled(waitMs);
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    this.#throttle.begin(key, address);
    const account = await this.#verify(key, password);
    if (account === null) return BAD_CREDENTIALS;
    this.#throttle.succeeded(key, address);
    const rehashed = await this.#rehashed(account, password);
    // While hashes were made, the account may have been removed, and the name taken by another.
    if (this.#account(key)?.id !== account.id) return BAD_CREDENTIALS;
    return this.#transaction(() => {
      if (rehashed) this.#update.run(rehashed, account.id);
      return this.#sessions.create(account);
    });
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
    this.#throttle.forgetFamiliar();
    this.#registrations?.fill();
    return Number(changes);
  }

  /** Counts a registration and gives 0, or gives how long it must wait. */
  #registrationWaitMs(address: string | undefined): number {
    if (address === undefined || this.#registrations === undefined) return 0;
    return this.#registrations.take(networkOf(address));
  }

  /** The account if the password is right, `null` if not, after the same work for both. */
  async #verify(key: string, password: string): Promise<Account | null> {
    if (!isPassword(password)) return null; // It cannot be right, which is no secret.
    const account = this.#account(key);
    const matches = await this.#hashing.run(async () => {
      if (account !== undefined) return await verifyPassword(password, account.hash);
      await hashPassword(password, this.#params);
      return false;
    });
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
