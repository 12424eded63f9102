/**
 * The authentication and chat servers inside a test, with cheap hashes.
 *
 * @module
 */
import type { Handler } from "../../lib/server/conversation.ts";
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore, type NewMessage } from "../../lib/store/history_store.ts";
import { CHAT_MIGRATIONS } from "../../lib/store/migrations.ts";
import { MAX_CLIENT_BODY_BYTES } from "../../lib/chat/protocol.ts";
import type { HttpProtocol } from "../../lib/server/http_protocol.ts";
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import type { ConnInfo, ServerEvent } from "../../lib/server/server_events.ts";
import { type TokenBucketOptions, TokenBuckets } from "../../lib/base/token_bucket.ts";
import { authenticationHandler } from "../../servers/authentication.ts";
import { chatHandler } from "../../servers/chat.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../lib/conn/memory_conn.ts";
import { Member } from "../../servers/members/member.ts";
import { ChatRoom } from "../../servers/members/chat_room.ts";
import { Members } from "../../servers/members/members.ts";
import { goodbyeMessage } from "../../servers/members/messages.ts";
import { ChatClient } from "../../tools/shared/chat_client.ts";
import { infoOf } from "./served.ts";

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
  sendTimeoutMs?: number;
  /** How long a user must stay before it is announced; by default no time. */
  settleMs?: number;
  /** How many connections an address may have; by default any number. */
  maxPerAddress?: number;
  /** How many messages are kept; by default all. */
  keep?: number;
  /** Is told what the server tells, beside its `events`. */
  onEvent?: (event: ServerEvent) => void;
  /** Makes the last message, in place of the one that clients really get. */
  goodbye?: () => string;
  /** Answers browsers; by default none are. */
  http?: HttpProtocol;
}

/** The cheapest hash there is. */
export const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };

const NO_LIMIT: TokenBucketOptions = { burst: 1e9, perSecond: 1e9 };

/** Starts a chat on a free port of this machine. */
export function startChat(options: TestServerOptions = {}) {
  const { burst = 1e9, rate = 1e9, settleMs = 0, keep = 0 } = options;
  const stores = openMembers("chat", options);
  const { database, members, onStorageError } = stores;
  const history = new HistoryStore(database, { keep });
  const room = new ChatRoom(history, { settleMs, onStorageError });
  const flood = new TokenBuckets({ burst, perSecond: rate });
  const tooSlow: ConnInfo[] = [];
  const onTooSlow = (conn: ConnInfo) => tooSlow.push(conn);
  const handler = chatHandler({ members, room, flood, onTooSlow });
  const close = () => {
    room.close();
    database.close();
  };
  return {
    ...stores,
    history,
    room,
    tooSlow,
    ...start(handler, close, stores.members, options),
    /** Stores messages that a user said before. */
    append(name: string, texts: readonly string[], to?: string): void {
      const person = (name: string) => members.accounts.find(name) ?? { id: -1, name };
      const rest = { sender: person(name), at: 1, ...(to && { receiver: person(to) }) };
      history.append(texts.map((text, i): NewMessage => ({
        ...rest,
        ref: `stored ${history.lastId + i}`,
        text,
      })));
    },
    /** The texts that a user may see. */
    textsFor(name: string): string[] {
      const { id } = members.accounts.find(name) ?? { id: 0 };
      return history.since(0, id, 1e6).map(({ text }) => text);
    },
  };
}

/** Starts an authentication server on a free port of this machine. */
export function startAuthentication(options: TestServerOptions = {}) {
  const stores = openMembers("auth", options);
  const handler = authenticationHandler(stores.members);
  const close = () => stores.database.close();
  return { ...stores, ...start(handler, close, stores.members, options) };
}

/** One client of an authentication server over a connection in memory, where no time passes that a test does not let pass. */
export function serveInMemory() {
  const database = openDatabase(":memory:", { migrations: CHAT_MIGRATIONS });
  const members = new Members(database, {
    server: "auth",
    accounts: { params: CHEAP },
    loginMs: 100,
    loginPace: NO_LIMIT,
    pace: NO_LIMIT,
  });
  const [near, far] = memoryConnPair();
  const conn = new FramedConn(near);
  const client = new ChatClient(new FramedConn(far));
  const info = infoOf(1, "127.0.0.1");
  const served = new Member(conn, info, members).serve();
  const dispose = () => {
    [conn, client.conn].forEach((end) => end.close());
    database.close();
  };
  return { conn, client, members, info, served, [Symbol.dispose]: dispose };
}

function openMembers(server: string, options: TestServerOptions) {
  const { path = ":memory:", loginMs, maxPerAddress = 0 } = options;
  const { loginPace = NO_LIMIT, pace = NO_LIMIT } = options;
  const database = openDatabase(path, { migrations: CHAT_MIGRATIONS });
  const errors: unknown[] = [];
  const onStorageError = (error: unknown) => void errors.push(error);
  const members = new Members(database, {
    server,
    maxPerAddress,
    accounts: { params: CHEAP, maxPerAddress: 0 },
    loginMs,
    loginPace,
    pace,
    onStorageError,
  });
  return { database, members, errors, onStorageError };
}

function start(
  handler: Handler<MessageConn>,
  close: () => void,
  members: Members,
  options: TestServerOptions,
) {
  const { goodbye = goodbyeMessage, idleTimeoutMs, sendTimeoutMs, onEvent, http } = options;
  const events: ServerEvent[] = [];
  const server: Server = serve(handler, {
    port: 0,
    http,
    goodbye,
    maxBodyBytes: MAX_CLIENT_BODY_BYTES,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    ...(sendTimeoutMs !== undefined && { sendTimeoutMs }),
  });
  const connect = () => ChatClient.connect(server.addr.port);
  return {
    server,
    events,
    connect,
    /** The names of who is logged in, by connection. */
    names: () => server.peers().map((conn) => members.nameOf(conn)).filter((name) => name),
    /** Connects somebody new, who is in the room when this settles. */
    async enter(name: string, hello: object = {}): Promise<ChatClient> {
      const client = await connect();
      await client.register(name, hello);
      await client.all();
      return client;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown({ signal: AbortSignal.abort() });
      close();
    },
  };
}
