/**
 * What all connections of an authentication or chat server share: accounts, sessions, limits, and who is logged in.
 *
 * @module
 */
import type { Database } from "../../lib/store/database.ts";
import type { TokenBucketOptions } from "../../lib/base/token_bucket.ts";
import { AccountStore, type AccountStoreOptions } from "../../lib/store/account_store.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import {
  type Session,
  SessionStore,
  type SessionStoreOptions,
} from "../../lib/store/session_store.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Attempt } from "./attempt_log.ts";
import { Unauthenticated } from "./unauthenticated.ts";

/** A connection with a session. */
export interface LoggedIn {
  /** Who is at the other end. */
  readonly info: ConnInfo;
  /** Its session, until that has ended. */
  readonly session: Session | undefined;
  /** Ends the session: nothing more is done or delivered in its name. The connection lives on. */
  endSession(): void;
  /** Ends the session at once, and tells the client so. */
  dismiss(): Promise<void>;
}

/** Options for {@linkcode Members}. */
export interface MembersOptions {
  /** The server's name in its `hello`. */
  server: string;
  /**
   * How many connections one address may have; an account may have a quarter of them, and half of them may be of clients
   * that have not logged in. 0 sets no limit.
   *
   * @default {0}
   */
  maxPerAddress?: number;
  /** Options of the accounts. */
  accounts?: AccountStoreOptions;
  /** Options of the sessions. */
  sessions?: SessionStoreOptions;
  /**
   * How long a client may take to log in, in milliseconds.
   *
   * @default {10000}
   */
  loginMs?: number | undefined;
  /**
   * How fast a connection is read before login: enough to mistype a password.
   *
   * @default {{ burst: 10, perSecond: 2 }}
   */
  loginPace?: TokenBucketOptions | undefined;
  /**
   * How fast each connection of a member is read: more than a person types and a client asks.
   *
   * @default {{ burst: 30, perSecond: 5 }}
   */
  pace?: TokenBucketOptions | undefined;
  /** Called after each attempt to log in. */
  onAttempt?(conn: ConnInfo, attempt: Attempt): void;
  /** Called when storage is broken, which the client sees as `unavailable`. */
  onStorageError?(error: unknown): void;
}

/** Everything that the members of one server share. */
export class Members {
  /** What was chosen. */
  readonly options: MembersOptions;
  /** The names and passwords. */
  readonly accounts: AccountStore;
  /** The tokens. */
  readonly sessions: SessionStore;
  /** Limits the connections of an address that have not logged in, so that others find a place. */
  readonly unauthenticated: Unauthenticated;
  /** The random id of the server's data: a client sends its token only where it got it. */
  readonly dataId: string;
  readonly #maxPerAccount: number;
  readonly #byConn = new Map<ConnInfo, LoggedIn>();
  readonly #byAccount = new Map<number, Set<LoggedIn>>();

  /** Works on a database with the tables of `AUTH_MIGRATIONS`; closing it is the caller's. */
  constructor(database: Database, options: MembersOptions) {
    const { maxPerAddress = 0 } = options;
    this.options = options;
    this.sessions = new SessionStore(database, options.sessions);
    this.accounts = new AccountStore(database, this.sessions, {
      maxPerAddress,
      ...options.accounts,
    });
    this.unauthenticated = new Unauthenticated(Math.ceil(maxPerAddress / 2));
    this.#maxPerAccount = maxPerAddress === 0 ? Infinity : Math.ceil(maxPerAddress / 4);
    const { data_id } = database.prepare("SELECT data_id FROM meta").get() as {
      data_id: Uint8Array<ArrayBuffer>;
    };
    this.dataId = data_id.toBase64({ alphabet: "base64url", omitPadding: true });
  }

  /** Adds a member, unless its account has too many connections. It ends the sessions whose tokens were replaced. */
  add(member: LoggedIn, { accountId }: Session): boolean {
    this.#endReplaced(accountId);
    const members = this.#byAccount.getOrInsertComputed(accountId, () => new Set());
    if (members.size >= this.#maxPerAccount) return false;
    members.add(member);
    this.#byConn.set(member.info, member);
    return true;
  }

  /** Removes a member whose session or connection has ended. The token stays valid. */
  remove(member: LoggedIn, { accountId }: Session): void {
    const members = this.#byAccount.get(accountId);
    members?.delete(member);
    if (members?.size === 0) this.#byAccount.delete(accountId);
    this.#byConn.delete(member.info);
  }

  /** The name of the member at a connection. */
  nameOf(conn: ConnInfo): string | undefined {
    return this.#byConn.get(conn)?.session?.name;
  }

  /** Revokes a token, and ends the session of each connection that came in by it. */
  revoke({ accountId, token }: Session): void {
    this.sessions.revoke(token);
    for (const member of [...this.#byAccount.get(accountId) ?? []]) {
      if (member.session?.token === token) member.endSession();
    }
  }

  /** Revokes the token of the member at a connection, which is kicked: it cannot come back by it. */
  kick(conn: ConnInfo): void {
    const session = this.#byConn.get(conn)?.session;
    try {
      if (session) this.revoke(session);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // The connection is ended all the same.
      this.options.onStorageError?.(error);
    }
  }

  #endReplaced(accountId: number): void {
    try {
      for (const member of [...this.#byAccount.get(accountId) ?? []]) {
        if (member.session && !this.sessions.has(member.session.token)) member.endSession();
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // The next login tries again.
      this.options.onStorageError?.(error);
    }
  }

  /** Removes all accounts, ends all sessions, and returns how many accounts there were. */
  clear(): number {
    const cleared = this.accounts.clear();
    for (const member of [...this.#byConn.values()]) {
      // A client whose connection is lost need not be told.
      member.dismiss().catch(() => {});
    }
    return cleared;
  }
}
