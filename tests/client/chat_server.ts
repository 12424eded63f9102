/**
 * The real chat with its data in memory, and members of it that note what they are told.
 *
 * @module
 */

import { ChatSession, type ChatSessionOptions } from "../../client/chat_session.ts";
import { ACCOUNTS_SCHEMA, AccountStore } from "../../lib/account_store.ts";
import { openDatabase } from "../../lib/database.ts";
import { FramedConn } from "../../lib/framed_conn.ts";
import { HistoryStore, MESSAGES_SCHEMA } from "../../lib/history_store.ts";
import { keyOfName } from "../../lib/name.ts";
import { serve, type ServeOptions } from "../../lib/server.ts";
import { SESSIONS_SCHEMA, SessionStore } from "../../lib/session_store.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { AuthDesk } from "../../servers/auth_desk.ts";
import { authenticationHandler } from "../../servers/authentication.ts";
import { chatHandler } from "../../servers/chat.ts";
import { ChatRoom } from "../../servers/chat_room.ts";
import { goodbyeMessage } from "../../servers/messages.ts";

/** The password of everybody. */
export const PASSWORD = "correct horse";

/** Starts the chat; `flood` limits what one user may say. */
export function startChat(
  { flood = { burst: 10_000, perSecond: 10_000 }, isAuth = false, ...options }: ServeOptions & {
    flood?: { burst: number; perSecond: number };
    isAuth?: boolean;
  } = {},
) {
  const migrations = [ACCOUNTS_SCHEMA, SESSIONS_SCHEMA, MESSAGES_SCHEMA];
  const database = openDatabase(":memory:", { migrations });
  const params = { memoryKiB: 8, passes: 1, parallelism: 1 };
  const desk = new AuthDesk(new AccountStore(database, { params }), new SessionStore(database));
  const history = new HistoryStore(database);
  const room = new ChatRoom({ history, keyOf: keyOfName });
  const names = new Map();
  const handler = isAuth
    ? authenticationHandler({ desk, server: "auth" }, names)
    : chatHandler({ desk, history, room, names, flood: new TokenBuckets(flood) });
  const server = serve(handler, { goodbye: goodbyeMessage, ...options });
  return {
    server,
    desk,
    history,
    port: server.addr.port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      database.close();
    },
  };
}

/** Somebody in the chat, who notes every message by its id, own ones included. */
export class TestMember {
  /** What was shown, as `id text`. */
  readonly told: string[] = [];
  /** What else came, by type or error code. */
  readonly notes: string[] = [];
  /** The session. */
  readonly session: ChatSession;
  /** How the session ended. */
  readonly ended: Promise<string>;
  #changed = Promise.withResolvers<void>();

  /** Joins the chat at a port; registers at the first time. */
  constructor(port: number, name: string, options: Partial<ChatSessionOptions> = {}) {
    this.session = new ChatSession({
      connect: () => FramedConn.connect({ port }),
      credentials: () => Promise.resolve({ name, password: PASSWORD, register: false }),
      history: 200,
      backoff: { minMs: 1, maxMs: 2 },
      onMessage: (message, own) => {
        if (message.type === "message") this.#note(this.told, `${message.id} ${message.text}`);
        else if (message.type !== "said") {
          this.#note(this.notes, message.type === "error" ? message.code : message.type);
        } else if (own) this.#note(this.told, `${message.id} ${own.text}`);
      },
      ...options,
    });
    this.ended = this.session.run();
  }

  /** Waits until so many messages were shown. */
  async toldCount(count: number): Promise<void> {
    while (this.told.length < count) await this.#changed.promise;
  }

  /** Waits until something of a type, or an error of a code, has come. */
  async noted(type: string): Promise<void> {
    while (!this.notes.includes(type)) await this.#changed.promise;
  }

  /** Leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close();
    await this.ended;
  }

  #note(list: string[], text: string): void {
    list.push(text);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
