/**
 * Who may call themselves what: names with passwords.
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

/** Who was registered or let in, or why not. */
export type AccountResult = { ok: true; name: string } | Refusal;

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
 * Registers names with passwords, and tells whether somebody knows theirs.
 *
 * - **Tight-lipped.** `authenticate` treats an unknown name like a wrong password: the same work, the same answer.
 * - **Slow for guessers.** Failures on a name and from an address make the next attempt wait, longer
 *   each time, up to 30 s and never more, so that nobody can lock others out; see {@linkcode LoginThrottle}.
 * - **Slow to fill.** Unless told otherwise, from one address 64 accounts may be made at once, then one every 10 s.
 * - **Bounded.** At most two hashes are made at a time, and 256 wait for their turn.
 *
 * Broken storage is an exception, as {@linkcode Database.transaction} says; a refusal never is.
 */
export class AccountStore {
  #database: Database;
  #params: PasswordParams;
  #refusalCosts: PasswordParams;
  #hashing: Semaphore;
  #familiar: FamiliarNetworks;
  #throttle: LoginThrottle;
  #registrations: TokenBuckets | undefined; // without a limit nobody counts
  #find: StatementSync;
  #findLike: StatementSync;
  #insert: StatementSync;
  #update: StatementSync;
  #clear: StatementSync;

  /**
   * Works on a database that has had the migrations of `account_schema.ts` and {@linkcode FAMILIAR_SCHEMA}; closing it is
   * the caller's.
   *
   * @param database Where accounts are kept.
   * @param options Costs and limits.
   */
  constructor(database: Database, options: AccountStoreOptions = {}) {
    const { params = PASSWORD_PARAMS, maxWaiting = MAX_WAITING, now } = options;
    const { maxPerAddress: burst = MAX_PER_ADDRESS } = options;
    this.#database = database;
    this.#params = params;
    const costs = database.prepare(
      "SELECT DISTINCT substr(hash, 16, instr(substr(hash, 16), '$') - 1) AS costs FROM accounts",
    ).all();
    this.#refusalCosts = highestCosts(params, costs.map(({ costs }) => `${costs}`));
    this.#hashing = new Semaphore({ maxRunning: 2, maxWaiting });
    this.#familiar = new FamiliarNetworks(database);
    this.#throttle = new LoginThrottle(this.#familiar, now);
    this.#registrations = burst === 0
      ? undefined
      : new TokenBuckets({ burst, perSecond: LATER_PER_SECOND, ...(now && { now }) });
    this.#find = database.prepare("SELECT id, name, hash FROM accounts WHERE key = ?");
    this.#findLike = database.prepare(
      "SELECT id FROM accounts WHERE key = ? OR written = ? OR capitals = ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO accounts (key, name, hash, written, capitals) VALUES (?, ?, ?, ?, ?)",
    );
    this.#update = database.prepare("UPDATE accounts SET hash = ? WHERE key = ? AND hash = ?");
    this.#clear = database.prepare("DELETE FROM accounts");
  }

  /**
   * Makes an account. Of several registrations of one name at once exactly one succeeds.
   *
   * @param name The name wanted; see {@linkcode parseNewName}.
   * @param password The password; see {@linkcode isPassword}.
   * @param address Where they are, as {@linkcode normalizeAddress} spells it; nobody counts those without one.
   * @returns The name in its one true spelling; or `bad_name`, `weak_password`, `name_taken`, `throttled`.
   */
  async register(name: string, password: string, address?: string): Promise<AccountResult> {
    const parsed = parseNewName(name);
    if ("reason" in parsed) return { ok: false, code: "bad_name", message: parsed.reason };
    // The name first: a client asks by an empty password whether a name is free, before its user chooses one.
    const { key, name: spelling } = parsed;
    const { written, capitals } = lookOf(spelling);
    const isTaken = () => this.#findLike.get(key, written, capitals) !== undefined;
    if (isTaken()) return NAME_TAKEN;
    if (!isPassword(password)) return WEAK_PASSWORD;
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    const waitMs = this.#registrationWaitMs(address);
    if (waitMs > 0) return throttled(waitMs);
    const hash = await this.#hashing.run(() => hashPassword(password, this.#params));
    if (hash === null) return throttled(BUSY_RETRY_MS);
    const accountId = this.#database.transaction(() => {
      if (isTaken()) return null;
      const { lastInsertRowid } = this.#insert.run(key, spelling, hash, written, capitals);
      return Number(lastInsertRowid);
    });
    if (accountId === null) return NAME_TAKEN;
    if (address !== undefined) this.familiar(accountId, address);
    return { ok: true, name: spelling };
  }

  /**
   * Tells whether the password is the one of that name.
   *
   * @param name The name, in any of its spellings.
   * @param password What they say it is.
   * @param address Where they are, as {@linkcode normalizeAddress} spells it.
   * @returns The name as it was registered; or `bad_credentials`, `throttled`.
   */
  async authenticate(name: string, password: string, address: string): Promise<AccountResult> {
    const key = keyOfText(name); // What is no name costs the same as a name that has no account.
    if (this.#hashing.isFull) return throttled(BUSY_RETRY_MS);
    const waitMs = this.#throttle.begin(key, address);
    if (waitMs > 0) return throttled(waitMs);
    const account = await this.#verify(key, password);
    if (account === null) return BAD_CREDENTIALS;
    this.#throttle.succeeded(key, address);
    this.familiar(account.id, address);
    return { ok: true, name: account.name };
  }

  /**
   * Notes that an account proved who it is from an address, by a password or a token: guesses from elsewhere, or at other
   * names from there, do not make it wait there any more.
   *
   * @param accountId The account.
   * @param address The address, as {@linkcode normalizeAddress} spells it.
   */
  familiar(accountId: number, address: string): void {
    try {
      this.#familiar.add(accountId, networkOf(address));
    } catch {
      // Who is let in must not depend on it; broken storage shows at the next write that matters.
    }
  }

  /** The name as it was registered, from any of its spellings; `undefined` where there is no such account. */
  nameOf(name: string): string | undefined {
    return this.#account(keyOfText(name))?.name;
  }

  /**
   * Removes every account, and with it every session that hangs on one. Who had one may make a new one, wherever the
   * others register from.
   *
   * @returns How many accounts there were.
   */
  clear(): number {
    this.#registrations?.fill();
    return Number(this.#database.transaction(() => this.#clear.run()).changes);
  }

  /** Counts a registration, or tells how long it must wait. */
  #registrationWaitMs(address: string | undefined): number {
    if (address === undefined || this.#registrations === undefined) return 0;
    return this.#registrations.take(networkOf(address));
  }

  /** The account when the password is right, `null` when not, after the same work for every name. */
  async #verify(key: string, password: string): Promise<Account | null> {
    if (!isPassword(password)) return null; // Nobody's, which anybody can tell.
    const account = this.#account(key);
    const matches = await this.#hashing.run(() =>
      verifyPassword(password, account?.hash, this.#refusalCosts)
    );
    if (account === undefined || !matches) return null;
    if (needsRehash(account.hash, this.#params)) await this.#rehash(key, password, account.hash);
    // While the hash was made, the account may have been removed, and the name taken by another.
    return this.#account(key)?.id === account.id ? account : null;
  }

  async #rehash(key: string, password: string, old: string): Promise<void> {
    const hash = await this.#hashing.run(() => hashPassword(password, this.#params));
    if (hash === null) return; // Too busy now; the next login will do.
    this.#database.transaction(() => this.#update.run(hash, key, old));
  }

  #account(key: string): Account | undefined {
    return this.#find.get(key) as Account | undefined;
  }
}
