/**
 * Sessions: who somebody is, for a while, without a password.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { keyOfText } from "../chat/name.ts";

/** The migration for {@linkcode openDatabase} that makes the table of sessions, after that of accounts. */
export const SESSIONS_SCHEMA = `
  CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,   -- SHA-256: enough for a secret that nobody chose
    account_key TEXT NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_account ON sessions (account_key);
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);
`;

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
   * The clock, in milliseconds since 1970.
   *
   * @default {Date.now}
   */
  now?(): number;
}

/** A session. */
export interface Session {
  /** The account's name, as it was registered. */
  name: string;
  /** When the token expires unless it is used before, in milliseconds since 1970. */
  expiresAt: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const SLIDE_STEP_MS = 60_000;
// A clock is set back by seconds, or by hours when its time zone was wrong; what is further in the future is no truth.
const MAX_SET_BACK_MS = DAY_MS;
const TOKEN = /^[A-Za-z0-9_-]{43}$/; // 32 bytes

/**
 * Gives out tokens that stand for a name until they expire or are revoked.
 *
 * A token expires at an absolute time, 7 days away, and each use slides that time on to 7 days from the use,
 * but never past 30 days from the login, so that a stolen token does not live for ever. A clock that is set back
 * gives it a day more at most: a token that was made later than tomorrow is not valid.
 *
 * A token is 32 random bytes in base64url. Only its SHA-256 is stored: who reads the file cannot
 * use what is in it. Broken storage is an exception, as {@linkcode Database.transaction} says.
 */
export class SessionStore {
  #database: Database;
  #idleMs: number;
  #maxLifetimeMs: number;
  #now: () => number;
  #insert: StatementSync;
  #find: StatementSync;
  #slide: StatementSync;
  #revoke: StatementSync;
  #purge: StatementSync;

  /**
   * Works on a database that has had {@linkcode SESSIONS_SCHEMA}; closing it is the caller's.
   *
   * @param database Where sessions are kept.
   * @param options Lifetimes and the clock.
   */
  constructor(database: Database, options: SessionStoreOptions = {}) {
    this.#database = database;
    this.#idleMs = options.idleMs ?? 7 * DAY_MS;
    this.#maxLifetimeMs = options.maxLifetimeMs ?? 30 * DAY_MS;
    this.#now = options.now ?? Date.now;
    this.#insert = database.prepare("INSERT INTO sessions VALUES (?, ?, ?, ?)");
    this.#find = database.prepare(
      `SELECT name, created_at AS createdAt, expires_at AS expiresAt
       FROM sessions JOIN accounts ON key = account_key
       WHERE token_hash = ? AND expires_at > ? AND created_at <= ?`,
    );
    this.#slide = database.prepare("UPDATE sessions SET expires_at = ? WHERE token_hash = ?");
    this.#revoke = database.prepare("DELETE FROM sessions WHERE token_hash = ?");
    this.#purge = database.prepare("DELETE FROM sessions WHERE expires_at <= ?");
  }

  /**
   * Starts a session, and drops the expired ones of everybody.
   *
   * @param name The name of an account, in any of its spellings.
   * @throws {Error} If there is no such account.
   */
  create(name: string): { token: string; expiresAt: number } {
    const token = crypto.getRandomValues(new Uint8Array(32))
      .toBase64({ alphabet: "base64url", omitPadding: true });
    const now = this.#now();
    const expiresAt = this.#expiry(now, now);
    this.#database.transaction(() => {
      this.#purge.run(now);
      this.#insert.run(hash(token), keyOfText(name), now, expiresAt);
    });
    return { token, expiresAt };
  }

  /**
   * Tells whose token this is, and counts that as a use: its expiry slides on, in steps of at least a
   * minute, so that a busy token does not mean a busy disk.
   *
   * @param token What somebody sent.
   * @returns The session, or `null` for a token that is unknown, revoked, expired or malformed.
   */
  resume(token: string): Session | null {
    if (!TOKEN.test(token)) return null;
    const tokenHash = hash(token);
    const now = this.#now();
    const row = this.#find.get(tokenHash, now, now + MAX_SET_BACK_MS) as
      | Session & { createdAt: number }
      | undefined;
    if (row === undefined) return null;
    const expiresAt = this.#expiry(row.createdAt, now);
    if (Math.abs(expiresAt - row.expiresAt) < SLIDE_STEP_MS) {
      return { name: row.name, expiresAt: row.expiresAt };
    }
    this.#database.transaction(() => this.#slide.run(expiresAt, tokenHash));
    return { name: row.name, expiresAt };
  }

  /**
   * Ends a session.
   *
   * @param token Its token.
   * @returns Whether there was such a session.
   */
  revoke(token: string): boolean {
    if (!TOKEN.test(token)) return false;
    return this.#database.transaction(() => this.#revoke.run(hash(token))).changes === 1;
  }

  #expiry(createdAt: number, now: number): number {
    return Math.min(now + this.#idleMs, createdAt + this.#maxLifetimeMs);
  }
}

function hash(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
