/**
 * Sessions: an authenticated user for a while, by a token instead of a password.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { storage } from "./storage_error.ts";

/** Options for {@linkcode SessionStore}. */
export interface SessionStoreOptions {
  /**
   * How long an unused token lives, in milliseconds.
   *
   * @default {604_800_000} (7 days)
   */
  idleMs?: number;
  /**
   * How long a token lives however much it is used, in milliseconds.
   *
   * @default {2_592_000_000} (30 days)
   */
  maxLifetimeMs?: number;
  /**
   * How many tokens an account may have; a new one replaces the one that was unused for longest.
   *
   * @default {32}
   */
  maxPerAccount?: number;
}

/** A session. */
export interface Session {
  /** The account, whose id is never used again. */
  accountId: number;
  /** The account's name, as it was registered. */
  name: string;
  /** Lets the user in again until it expires or is revoked. */
  token: string;
  /** When the token expires unless it is used before, in milliseconds since 1970. */
  expiresAt: number;
}

interface Times {
  createdAt: number;
  expiresAt: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const SLIDE_STEP_MS = 60_000;
// A clock is set back by seconds, or by hours when its time zone was wrong; a time further in the future is wrong.
const MAX_SET_BACK_MS = DAY_MS;
const TOKEN = /^[A-Za-z0-9_-]{43}$/; // 32 bytes

/**
 * Gives out tokens that stand for an account until they expire or are revoked.
 *
 * A token expires at an absolute time, 7 days away, and each use slides that time on to 7 days from the use,
 * but never past 30 days from the login, so that the life of a stolen token is bounded. A clock that is set back
 * gives it a day more at most: a token that was made later than tomorrow is not valid.
 *
 * A token is 32 random bytes in base64url. Only its SHA-256 is stored, so the file holds no usable token.
 * All methods throw {@linkcode StorageError} where storage is broken.
 */
export class SessionStore {
  readonly #database: Database;
  readonly #idleMs: number;
  readonly #maxLifetimeMs: number;
  readonly #maxPerAccount: number;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #slide: StatementSync;
  readonly #revoke: StatementSync;
  readonly #expire: StatementSync;
  readonly #trim: StatementSync;

  /**
   * Works on a database with the tables of `AUTH_MIGRATIONS`; closing it is the caller's.
   *
   * @param database Where sessions are kept.
   * @param options Lifetimes and limits.
   */
  constructor(database: Database, options: SessionStoreOptions = {}) {
    this.#database = database;
    this.#idleMs = options.idleMs ?? 7 * DAY_MS;
    this.#maxLifetimeMs = options.maxLifetimeMs ?? 30 * DAY_MS;
    this.#maxPerAccount = options.maxPerAccount ?? 32;
    this.#insert = database.prepare(
      "INSERT INTO sessions (token_hash, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
    );
    this.#find = database.prepare(
      `SELECT account_id AS accountId, name, created_at AS createdAt, expires_at AS expiresAt
       FROM sessions JOIN accounts ON accounts.id = account_id WHERE token_hash = ?`,
    );
    this.#slide = database.prepare("UPDATE sessions SET expires_at = ? WHERE token_hash = ?");
    this.#revoke = database.prepare("DELETE FROM sessions WHERE token_hash = ?");
    this.#expire = database.prepare("DELETE FROM sessions WHERE expires_at <= ?");
    this.#trim = database.prepare(
      `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE account_id = ?
       ORDER BY expires_at DESC, id DESC LIMIT -1 OFFSET ?)`,
    );
  }

  /**
   * Starts a session of an account. It is part of the caller's transaction: an account and its first session are made
   * together or not at all. Expired sessions of all accounts are deleted.
   */
  create({ id: accountId, name }: { id: number; name: string }): Session {
    const token = crypto.getRandomValues(new Uint8Array(32))
      .toBase64({ alphabet: "base64url", omitPadding: true });
    const now = Date.now();
    const expiresAt = this.#expiry(now, now);
    this.#expire.run(now);
    this.#insert.run(hash(token), accountId, now, expiresAt);
    this.#trim.run(accountId, this.#maxPerAccount);
    return { accountId, name, token, expiresAt };
  }

  /**
   * Finds the session of a token, and counts that as a use: its expiry slides on, in steps of at least a minute, so that
   * a busy token does not mean a busy disk.
   *
   * @param token What a client sent.
   * @returns The session, or `null` for a token that is unknown, revoked, expired or malformed.
   */
  resume(token: string): Session | null {
    if (!TOKEN.test(token)) return null;
    return storage(() =>
      this.#use(
        token,
        ({ createdAt, expiresAt }, now) => expiresAt > now && createdAt <= now + MAX_SET_BACK_MS,
      )
    );
  }

  /**
   * Like `resume`, for a session at work: it cannot have been unused for long, whatever the clock says, so only its end
   * or its longest life ends it.
   */
  keepAlive(token: string): Session | null {
    return storage(() =>
      this.#use(token, ({ createdAt }, now) => now < createdAt + this.#maxLifetimeMs)
    );
  }

  /** Whether a token is still stored: it was not revoked, replaced or deleted. */
  has(token: string): boolean {
    return storage(() => this.#find.get(hash(token))) !== undefined;
  }

  /**
   * Ends a session.
   *
   * @param token Its token.
   * @returns `true` if there was such a session.
   */
  revoke(token: string): boolean {
    if (!TOKEN.test(token)) return false;
    const revoke = () => this.#revoke.run(hash(token));
    return storage(() => this.#database.transaction(revoke)).changes === 1;
  }

  #use(token: string, isValid: (times: Times, now: number) => boolean): Session | null {
    const tokenHash = hash(token);
    const now = Date.now();
    const row = this.#find.get(tokenHash) as (Omit<Session, "token"> & Times) | undefined;
    if (row === undefined || !isValid(row, now)) return null;
    const { accountId, name, createdAt } = row;
    const session = { accountId, name, token, expiresAt: row.expiresAt };
    const expiresAt = this.#expiry(createdAt, now);
    if (Math.abs(expiresAt - row.expiresAt) < SLIDE_STEP_MS) return session;
    this.#database.transaction(() => this.#slide.run(expiresAt, tokenHash));
    return { ...session, expiresAt };
  }

  #expiry(createdAt: number, now: number): number {
    return Math.min(now + this.#idleMs, createdAt + this.#maxLifetimeMs);
  }
}

function hash(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
