/**
 * The authentication and chat servers inside a test, with cheap hashes.
 *
 * @module
 */
import { AccountStore } from "../../lib/store/account_store.ts";
import type { Handler } from "../../lib/server/conversation.ts";
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore } from "../../lib/store/history_store.ts";
import { keyOfName } from "../../lib/chat/name.ts";
import { MAX_CLIENT_BODY_BYTES } from "../../lib/chat/protocol.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import type { ConnInfo, ServerEvent } from "../../lib/server/server_events.ts";
import { SessionStore } from "../../lib/store/session_store.ts";
import { type TokenBucketOptions, TokenBuckets } from "../../lib/base/token_bucket.ts";
import { TurnShare } from "../../lib/chat/turn_share.ts";
import { AuthDesk } from "../../servers/members/auth_desk.ts";
import { authenticationHandler } from "../../servers/authentication.ts";
import { CHAT_MIGRATIONS, chatHandler } from "../../servers/chat.ts";
import { ChatRoom } from "../../servers/members/chat_room.ts";
import { goodbyeMessage } from "../../servers/members/messages.ts";
import { ChatClient } from "../../tools/shared/chat_client.ts";

/** What a test may choose about its server. */
export interface TestServerOptions {
  /** The database; by default in memory. */
  path?: string;
  /** Messages of a user at once, and a second; by default more than any test sends. */
  burst?: number;
  rate?: number;
  /** How fast a connection is read before and after the login; by default without a limit. */
  loginPace?: TokenBucketOptions;
  pace?: TokenBucketOptions;
  /** Limits in milliseconds. */
  loginMs?: number;
  idleTimeoutMs?: number;
  /** Is told what the server tells, beside its `events`. */
  onEvent?: (event: ServerEvent) => void;
  /** Makes the last message, in place of the one that clients really get. */
  goodbye?: () => string;
  /** The clock of the accounts, the sessions and the flood control. */
  now?: () => number;
}

/** The cheapest hash there is. */
export const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };

const NO_LIMIT: TokenBucketOptions = { burst: 1e9, perSecond: 1e9 };

/** Starts a chat on a free port of this machine. */
export function startChat(options: TestServerOptions = {}) {
  const { burst = 1e9, rate = 1e9, now, loginMs } = options;
  const { loginPace = NO_LIMIT, pace = NO_LIMIT } = options;
  const stores = openStores(options);
  const room = new ChatRoom({ ...stores, keyOf: keyOfName });
  const flood = new TokenBuckets({ burst, perSecond: rate, ...(now && { now }) });
  const share = new TurnShare();
  const names = new Map<ConnInfo, string>();
  const tooSlow: ConnInfo[] = [];
  const onTooSlow = (conn: ConnInfo) => tooSlow.push(conn);
  const handler = chatHandler({
    ...stores,
    room,
    share,
    flood,
    names,
    onTooSlow,
    loginPace,
    pace,
    ...(loginMs !== undefined && { loginMs }),
  });
  return { ...stores, room, share, names, tooSlow, ...start(handler, stores.database, options) };
}

/** Starts an authentication server on a free port of this machine. */
export function startAuthentication(options: TestServerOptions = {}) {
  const stores = openStores(options);
  const names = new Map<ConnInfo, string>();
  const { loginMs, loginPace = NO_LIMIT, pace = NO_LIMIT } = options;
  const limits = { loginMs, loginPace, pace };
  const handler = authenticationHandler({ ...stores, ...limits, server: "auth" }, names);
  return { ...stores, names, ...start(handler, stores.database, options) };
}

function openStores(options: TestServerOptions) {
  const { path = ":memory:", now } = options;
  const database = openDatabase(path, { migrations: CHAT_MIGRATIONS });
  const accounts = new AccountStore(database, {
    params: CHEAP,
    maxPerAddress: 0,
    ...(now && { now }),
  });
  const desk = new AuthDesk(accounts, new SessionStore(database, now && { now }));
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  return { database, desk, history: new HistoryStore(database), errors, onError };
}

function start(handler: Handler, database: Disposable, options: TestServerOptions) {
  const { goodbye = goodbyeMessage, idleTimeoutMs, onEvent } = options;
  const events: ServerEvent[] = [];
  const server: Server = serve(handler, {
    port: 0,
    goodbye,
    maxBodyBytes: MAX_CLIENT_BODY_BYTES,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
  });
  const connect = () => ChatClient.connect(server.addr.port);
  return {
    server,
    events,
    connect,
    /** Connects somebody new, who is in the room when this settles. */
    async enter(name: string, hello: object = {}): Promise<ChatClient> {
      const client = await connect();
      await client.register(name, hello);
      await client.all();
      return client;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown({ signal: AbortSignal.abort() });
      database[Symbol.dispose]();
    },
  };
}
