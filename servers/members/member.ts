/**
 * One client of the authentication or chat server, from its first message to its last.
 *
 * @module
 */
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import {
  type ClientMessage,
  MAX_CLIENT_BODY_BYTES,
  parseClientMessage,
  type ParsedMessage,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import { MAX_DELAY_MS } from "../../lib/base/numbers.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { Session } from "../../lib/store/session_store.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import { TokenBucket } from "../../lib/base/token_bucket.ts";
import { type Hello, Login, LOGIN_MAX_BODY_BYTES, SESSION_ENDED } from "./login.ts";
import type { Members } from "./members.ts";
import { errorOf, frameOf, goodbyeMessage, type Problem, UNAVAILABLE } from "./messages.ts";

const CHECK_MS = 100;
const DEFAULT_PACE = { burst: 30, perSecond: 5 };
const DEFAULT_LOGIN_PACE = { burst: 10, perSecond: 2 };

/**
 * The receive loop of one connection.
 *
 * A client logs in, is a member while it has a session, and may log in again, on the same connection, when that has
 * ended. Subclasses say what a member may do.
 */
export class Member {
  /** Who is at the other end. */
  readonly info: ConnInfo;
  /** The connection. Its owner closes it. */
  protected readonly conn: MessageConn;
  /** What all connections share. */
  protected readonly members: Members;
  #session: Session | undefined;
  #login: Login;
  #pace: TokenBucket;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #checkedAt = 0;
  #isOver = false;

  /** Makes a client that has not said anything. */
  constructor(conn: MessageConn, info: ConnInfo, members: Members) {
    this.info = info;
    this.conn = conn;
    this.members = members;
    this.#pace = new TokenBucket(members.options.loginPace ?? DEFAULT_LOGIN_PACE);
    this.#login = new Login(this, members);
  }

  /** Its session, while it is logged in. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Answers the client until the conversation is over. */
  async serve(): Promise<void> {
    const { unauthenticated } = this.members;
    const refusal = unauthenticated.enter(this.info, () => this.#login.giveUp("crowded"));
    if (refusal) return await this.conn.send(goodbyeMessage(refusal));
    this.conn.maxBodyBytes = LOGIN_MAX_BODY_BYTES;
    this.#login.begin();
    try {
      while (!this.#isOver) {
        const message = await this.#receive();
        if (message === null) break;
        await this.#take(message);
      }
    } finally {
      this.#login.end();
      unauthenticated.leave(this.info);
      // A client that leaves still gets the answers to what it sent last.
      await this.settled();
      if (this.#session) this.endSession();
    }
  }

  /** Sends one message. */
  send(message: ServerMessage): Promise<void> {
    return this.conn.sendFrame(frameOf(message));
  }

  /** Refuses a message; the connection lives on. */
  refuse(problem: Problem, message?: ClientMessage | { ref?: string }): Promise<void> {
    const ref = message && "ref" in message ? message.ref : undefined;
    return this.send(errorOf(problem, ref));
  }

  /** Ends the session: nothing more is done or delivered in its name. The connection lives on. */
  endSession(): void {
    if (this.#session) this.members.remove(this, this.#session);
    this.#session = undefined;
    clearTimeout(this.#expiry);
  }

  /** Ends the session at once, and tells the client so after the answers to what it sent before. */
  async dismiss(): Promise<void> {
    this.endSession();
    await this.settled();
    if (!this.#session && !this.#isOver) await this.refuse(SESSION_ENDED);
  }

  /** What a client is told with its `welcome`. */
  protected get greeting(): string | undefined {
    return undefined;
  }

  /** Called when the client is welcome, with what its `hello` asked for and the newest id it was told. */
  protected entered(_hello: Hello, _last: number): Promise<void> | void {}

  /** Settles when all messages until now are answered. */
  protected settled(): Promise<void> | void {}

  /** Answers a message that is not about the session. */
  protected answer(_message: ClientMessage): Promise<void> | void {}

  /** The id of the newest message. */
  protected get lastId(): number {
    return 0;
  }

  /**
   * Receives the next message that can be understood, and refuses the others; `null` when the peer is done, or did not
   * log in in time.
   *
   * Each costs a token of the pace. While there is none, nothing is read: what comes too fast waits in the peer's own
   * buffers.
   */
  async #receive(): Promise<ClientMessage | null> {
    for (;;) {
      await this.#pace.wait();
      const parsed = await this.#receiveParsed();
      if (parsed === null) return null;
      if ("message" in parsed) return parsed.message;
      await this.refuse({ code: "bad_message", message: parsed.problem }, parsed);
    }
  }

  async #receiveParsed(): Promise<ParsedMessage | null> {
    const { signal } = this.#login;
    try {
      const text = await this.conn.receive({ signal });
      return text === null ? null : parseClientMessage(text);
    } catch (error) {
      if (error instanceof Deno.errors.InvalidData) {
        return { problem: `${error.message}. Send text in UTF-8` };
      }
      if (!signal?.aborted || error !== signal.reason) throw error;
      await this.conn.send(goodbyeMessage(signal.reason));
      return null;
    }
  }

  /** Here broken storage is reported to the client, whatever it asked for. */
  async #take(message: ClientMessage): Promise<void> {
    try {
      // Answers come in the order of the messages, but a message is stored with others of its turn.
      if (message.type !== "say" && message.type !== "tell") await this.settled();
      if (this.#session && this.#isValid(this.#session)) await this.#answer(message, this.#session);
      else await this.#logIn(message);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.members.options.onStorageError?.(error);
      await this.refuse(UNAVAILABLE, message);
    }
  }

  /** Checks that the session is still valid, and slides its expiry; at most every 100 ms. */
  #isValid({ token }: Session): boolean {
    const { sessions } = this.members;
    const now = Date.now();
    if (Math.abs(now - this.#checkedAt) < CHECK_MS) return true;
    try {
      const session = sessions.keepAlive(token);
      this.#checkedAt = now;
      if (session) this.#session = session;
      else this.endSession();
      return session !== null;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // A session does not end because storage is broken for a while.
      return true;
    }
  }

  async #answer(message: ClientMessage, session: Session): Promise<void> {
    switch (message.type) {
      case "whoami":
        return await this.send({ type: "you", name: session.name });
      case "ping":
        return await this.send({ type: "pong" });
      case "logout":
        this.members.revoke(session);
        this.#isOver = true;
        return await this.send({ type: "bye", reason: "logged_out" });
      case "hello":
      case "login":
      case "register":
        return await this.refuse({ code: "bad_message", message: "You are logged in already" });
      default:
        return await this.answer(message);
    }
  }

  async #logIn(message: ClientMessage): Promise<void> {
    const session = await this.#login.take(message);
    if (!session) return;
    if (!this.members.add(this, session)) {
      this.#isOver = true;
      return await this.conn.send(goodbyeMessage("full"));
    }
    // Read once: what is told here is what the entry goes by.
    const last = this.lastId;
    const { name, token, expiresAt: expires } = this.#session = session;
    const { hello } = this.#login;
    this.#checkedAt = 0;
    this.members.unauthenticated.leave(this.info);
    this.#login.end();
    this.conn.maxBodyBytes = MAX_CLIENT_BODY_BYTES;
    this.#pace = new TokenBucket(this.members.options.pace ?? DEFAULT_PACE);
    this.#watchExpiry();
    const text = this.greeting;
    await this.send({ type: "welcome", name, token, expires, last, ...(text && { text }) });
    await this.entered(hello!, last);
  }

  /** Ends the session of a silent member in time; each message is checked anyway. */
  #watchExpiry(): void {
    if (!this.#session) return;
    const ms = this.#session.expiresAt - Date.now();
    if (ms <= 0) return this.endSession();
    this.#expiry = setTimeout(() => this.#watchExpiry(), Math.min(ms, MAX_DELAY_MS));
  }
}
