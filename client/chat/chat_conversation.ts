/**
 * The chat client on one connection: hello, login, messages, goodbye.
 *
 * @module
 */

import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { isSameName } from "../../lib/chat/name.ts";
import {
  type ClientMessage,
  parseServerMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import type { Credentials } from "./credentials.ts";
import type { Parting } from "./parting.ts";
import type { SeenMessages } from "./seen_messages.ts";
import type { OwnMessage, Unsaid } from "./unsaid.ts";

/** What the client needs of a connection. */
export type ChatConn = Pick<FramedConn, "send" | "receive" | "close" | "abort">;

/** What a conversation goes on with, and leaves to the next one. */
export interface ConversationContext {
  /** What lets the client in; a password is taken out when it is sent, and a token comes in with the welcome. */
  credentials: Credentials | undefined;
  /** Who was logged in last. */
  name: string | undefined;
  /** What was seen. */
  readonly seen: SeenMessages;
  /** What is to be said. */
  readonly unsaid: Unsaid;
  /** How many earlier messages to ask for when none was seen. */
  readonly history: number | undefined;
  /** Takes what the server says; see `ChatSessionOptions`. */
  onMessage(message: ServerMessage, own?: OwnMessage): void;
  /** Called when the client is logged in. */
  onEntered(): void;
}

/** The server is asked for a sign of life so often, and has so long to give it, in milliseconds. */
export const PING_MS = 30_000;

/** Talks on one connection, which it closes in the end. */
export class ChatConversation {
  readonly #conn: ChatConn;
  readonly #context: ConversationContext;
  #isGreeted = false;
  #isIn = false;
  #isAlive = true;
  #onPong: (() => void)[] = [];

  /** Takes the connection. */
  constructor(conn: ChatConn, context: ConversationContext) {
    this.#conn = conn;
    this.#context = context;
  }

  /** Whether the client is logged in. */
  get isIn(): boolean {
    return this.#isIn;
  }

  /**
   * Talks until the connection, or what it is for, has ended.
   *
   * @throws {Deno.errors.InvalidData} If the peer does not speak this protocol.
   */
  async run(): Promise<Parting> {
    const timer = setInterval(() => this.#checkLife(), PING_MS);
    this.send(this.#hello());
    try {
      for (;;) {
        const text = await this.#conn.receive().catch((error: Error) => error);
        if (typeof text !== "string") return this.#lose(text);
        const parting = this.#take(text);
        if (parting) return parting;
      }
    } finally {
      clearInterval(timer);
      this.#isIn = false;
      this.#context.unsaid.close();
      this.#context.seen.forgetPages();
      this.#conn.close();
    }
  }

  /** Sends a message. */
  send(message: ClientMessage): void {
    // Where it fails the connection is broken, and receive() tells why.
    this.#conn.send(JSON.stringify(message)).catch(() => this.#conn.close());
  }

  /** Asks for a pong, which comes after the answers to all that was sent before. */
  ping(onPong: () => void): void {
    this.#onPong.push(onPong);
    this.send({ type: "ping" });
  }

  /** Asks for a page of earlier messages. */
  askHistory(page: ClientMessage & { type: "history" }, onEnd: (count: number) => void): void {
    const { seen } = this.#context;
    const { before = (seen.newest ?? 0) + 1 } = page;
    seen.expectPage(before, onEnd);
    this.send({ ...page, before });
    this.ping(() => seen.endPage());
  }

  /** Ends the conversation from this side. */
  close(): void {
    this.#conn.close();
  }

  #hello(): ClientMessage {
    const { credentials, seen: { newest: since }, history } = this.#context;
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      ...tokenOf(credentials),
      ...(since !== undefined && { since }),
      ...(history !== undefined && { history }),
    };
  }

  #lose(error: Error | null): Parting {
    if (!this.#isAlive) return { lost: { error: new Error("the server does not answer") } };
    return { lost: { error: error ?? new Error("the server closed the connection") } };
  }

  #checkLife(): void {
    if (!this.#isAlive || !this.#isIn) {
      this.#isAlive = false;
      return this.#conn.abort();
    }
    this.#isAlive = false;
    this.ping(() => {});
  }

  #take(text: string): Parting | void {
    this.#isAlive = true;
    const message = parseServerMessage(text);
    // A newer server may say what we do not know, but not as its first word.
    if (!message) return this.#isGreeted ? undefined : refuseStranger();
    return this.#takeMessage(message);
  }

  #takeMessage(message: ServerMessage): Parting | void {
    const { seen, unsaid, onMessage } = this.#context;
    switch (message.type) {
      case "hello":
        return this.#takeHello(message);
      case "welcome":
        return this.#enter(message);
      case "message":
        if (seen.seeMessage(message)) onMessage(message);
        return;
      case "said": {
        const own = unsaid.said(message.ref);
        onMessage(message, seen.see(message.id) ? own : undefined);
        return;
      }
      case "error":
        return this.#takeError(message);
      case "pong":
        this.#onPong.shift()?.();
        return;
      case "bye":
        return this.#takeBye(message);
      default:
        onMessage(message);
    }
  }

  #takeHello(message: ServerMessage & { type: "hello" }): void {
    if (message.version !== PROTOCOL_VERSION) refuseStranger(message.version);
    this.#isGreeted = true;
    this.#context.onMessage(message);
    const { credentials } = this.#context;
    if (!credentials || "token" in credentials) return;
    const { name, password, register } = credentials;
    this.#context.credentials = undefined;
    this.send({ type: register ? "register" : "login", name, password });
  }

  #enter(message: ServerMessage & { type: "welcome" }): void {
    const { name, token, last } = message;
    const { seen, unsaid, history, onMessage, onEntered } = this.#context;
    this.#withdrawUnlessBy(name);
    this.#context.credentials = { name, token };
    seen.enter(last, history !== 0);
    this.#isIn = true;
    onMessage(message);
    onEntered();
    // The answer comes after all that is shown of the history: if that is nothing, there was nothing to see.
    if (seen.newest === undefined) this.ping(() => seen.seeNothingUpTo(last));
    unsaid.open();
  }

  /** What one user has typed is not said by another. */
  #withdrawUnlessBy(name: string): void {
    const { name: before = name, unsaid, onMessage } = this.#context;
    this.#context.name = name;
    if (isSameName(before, name)) return;
    const message = `You were ${before} when you typed it`;
    for (const own of unsaid.takeAll()) {
      onMessage({ type: "error", code: "unauthorized", message, ref: own.ref }, own);
    }
  }

  #takeError(message: ServerMessage & { type: "error" }): Parting | void {
    if (!this.#isIn || message.code === "unauthorized") {
      const { credentials } = this.#context;
      this.#context.credentials = undefined;
      return { refusal: { ...message, ...tokenOf(credentials) } };
    }
    const { ref = "", code, retryAfterMs } = message;
    this.#context.onMessage(message, this.#context.unsaid.refused(ref, code, retryAfterMs));
  }

  #takeBye(message: ServerMessage & { type: "bye" }): Parting {
    const { reason, retryAfterMs } = message;
    this.#context.onMessage(message);
    if (reason === "kicked" || reason === "logged_out") return { end: reason };
    return { lost: { retryAfterMs }, bye: reason };
  }
}

function refuseStranger(version?: number): never {
  const why = version === undefined
    ? "it is no chat and no authentication server"
    : `it speaks version ${version} of the protocol, and this client ${PROTOCOL_VERSION}`;
  throw new Deno.errors.InvalidData(`Cannot talk to this server: ${why}`);
}

function tokenOf(credentials: Credentials | undefined): { token?: string } {
  return credentials && "token" in credentials ? { token: credentials.token } : {};
}
