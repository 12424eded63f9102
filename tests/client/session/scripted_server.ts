/**
 * Chat servers in memory that follow a script, a function for each connection.
 *
 * @module
 */
import type { ChatConn } from "../../../client/session/connection.ts";
import type { KeptLogin, LoginStore } from "../../../client/session/session_login.ts";
import type { ChatSessionOptions } from "../../../client/session/session_options.ts";
import { ChatSession } from "../../../client/session/session.ts";

export type Json = Record<string, unknown>;

export const HELLO = { type: "hello", version: 1, server: "chat", data: "d1" };
export const WELCOME = { type: "welcome", name: "anna", token: "t1", expires: 9, last: 0 };
export const KEPT: KeptLogin = { name: "anna", token: "kept", tls: false, data: "d1" };
export const UNAUTHORIZED = { type: "error", code: "unauthorized", message: "Log in" };

/** One end of a connection in memory. */
class MemoryEnd implements ChatConn {
  peer!: MemoryEnd;
  #texts: string[] = [];
  #isEnded = false;
  #arrived = Promise.withResolvers<void>();

  send(text: string): Promise<void> {
    if (this.#isEnded) return Promise.reject(new Error("closed"));
    this.peer.#texts.push(text);
    this.peer.#arrived.resolve();
    return Promise.resolve();
  }

  async receive(): Promise<string | null> {
    while (this.#texts.length === 0 && !this.#isEnded) {
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
    return this.#texts.shift() ?? null;
  }

  close(): void {
    for (const end of [this, this.peer]) {
      end.#isEnded = true;
      end.#arrived.resolve();
    }
  }
}

/** Makes both ends of a connection in memory; either `close` ends both. */
export function memoryPair(): [ChatConn, ChatConn] {
  const [near, far] = [new MemoryEnd(), new MemoryEnd()];
  near.peer = far;
  far.peer = near;
  return [near, far];
}

/** The server's end of a connection, as a script uses it. */
export class Peer {
  constructor(readonly conn: ChatConn) {}

  /** Gives the next message of the client; `null` when it has left. */
  async next(): Promise<Json | null> {
    const text = await this.conn.receive();
    return text === null ? null : JSON.parse(text);
  }

  /** Gives the next message of a type. */
  async until(type: string): Promise<Json> {
    for (let message; (message = await this.next()) !== null;) {
      if (message["type"] === type) return message;
    }
    throw new Error(`The client has left without ${type}`);
  }

  say(...messages: Json[]): void {
    for (const message of messages) this.conn.send(JSON.stringify(message)).catch(() => {});
  }

  /** Logs any client in; gives its last hello. */
  async welcome(fields: Json = {}, hello: Json = HELLO): Promise<Json> {
    let last = await this.until("hello");
    this.say(hello);
    const second = await this.next();
    if (second?.["type"] === "hello") {
      last = second;
      this.say(hello);
    }
    this.say({ ...WELCOME, ...fields });
    return last;
  }

  /** Ends the session. */
  logOut(): void {
    this.say({ type: "bye", reason: "logged_out" });
  }
}

/** What the server does on one connection; it is closed at the end. */
export type Script = (peer: Peer) => Promise<void> | void;

/** Logins in memory. */
export class MemoryLogins implements LoginStore {
  readonly kept: KeptLogin[];

  constructor(...kept: KeptLogin[]) {
    this.kept = kept;
  }

  list(): Promise<KeptLogin[]> {
    return Promise.resolve([...this.kept]);
  }

  save(login: KeptLogin): Promise<void> {
    const old = this.kept.findIndex(({ name, data }) => name === login.name && data === login.data);
    if (old >= 0) this.kept.splice(old, 1);
    return Promise.resolve(void this.kept.push(login));
  }

  remove(token: string): Promise<void> {
    const index = this.kept.findIndex((kept) => kept.token === token);
    return Promise.resolve(void (index >= 0 && this.kept.splice(index, 1)));
  }
}

/** A session whose connections are scripts; after the last one, a server logs it out. */
export function openSession(scripts: Script[], options: Partial<ChatSessionOptions> = {}) {
  const heard: Json[] = [];
  const running: Promise<void>[] = [];
  const session = new ChatSession({
    connect: () => {
      const [near, far] = memoryPair();
      const peer = new Peer(far);
      const script = scripts.shift() ?? ((peer) => peer.logOut());
      const run = async () => await script(peer);
      running.push(run().catch(() => {}).finally(() => far.close()));
      return Promise.resolve(near);
    },
    credentials: (refusal) =>
      Promise.resolve(refusal ? null : { name: "anna", password: "pw", register: false }),
    onMessage: (message, own) => void heard.push({ ...message, ...(own && { own: own.text }) }),
    backoff: { minMs: 0 },
    ...options,
  });
  return { session, heard, running };
}
