/**
 * One connection of the chat client: JSON messages in and out, pings, and a check that the server is alive.
 *
 * @module
 */

import {
  type ClientMessage,
  parseServerMessage,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";

/** What carries the messages: a `FramedConn`, a WebSocket, or a pair of queues in memory. */
export interface ChatConn {
  /** Sends one message; rejects when the connection is lost. */
  send(text: string): Promise<void>;
  /** Gives the next message, `null` at the end; rejects when the connection is lost. */
  receive(): Promise<string | null>;
  /** Ends it at once; a pending `receive` settles. Idempotent. */
  close(): void;
}

/** The peer is no server that this client can talk to, and trying again does not help. */
export class WrongServerError extends Error {
  /** The name that shows in reports. */
  override readonly name = "WrongServerError";
  /** Whether it speaks another protocol. */
  readonly isForeign: boolean;

  /** Takes the reason, as in "it speaks version 2". */
  constructor(reason: string, { isForeign = false } = {}) {
    super(`Cannot talk to this server: ${reason}`);
    this.isForeign = isForeign;
  }
}

/** How often the server is asked for a sign of life, and how long it has to give one, in milliseconds. */
export const PING_MS = 30_000;

/** How long a server may take for its first message, in milliseconds: one of another kind may never send any. */
export const FIRST_ANSWER_MS = 10_000;

/** Sends and receives messages until one side ends it. Closing it closes what it was given. */
export class ChatConnection {
  readonly #conn: ChatConn;
  readonly #pongs: (() => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #firstTimer: ReturnType<typeof setTimeout>;
  #isReceiving = false;
  #isAlive = true;
  #isOpen = true;
  #isKnown = false;
  /** Whether the user is logged in on it. */
  isIn = false;

  /** Takes the connection. */
  constructor(conn: ChatConn) {
    this.#conn = conn;
    this.#timer = setInterval(() => this.#checkLife(), PING_MS);
    this.#firstTimer = setTimeout(() => {
      this.#isAlive = false;
      conn.close();
    }, FIRST_ANSWER_MS);
  }

  /** Whether it can be used, as far as is known. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Gives the next message that this version understands, or why there is none; `null` where the server ended it.
   *
   * @throws {WrongServerError} If the first message is none of this protocol.
   */
  async receive(): Promise<ServerMessage | Error | null> {
    for (;;) {
      const text = await this.#receiveText();
      if (typeof text !== "string") return this.#end(text);
      this.#isAlive = true;
      clearTimeout(this.#firstTimer);
      const message = parseServerMessage(text);
      // A newer server may send types that are unknown here, but not as its first message.
      if (!message && !this.#isKnown) {
        const reason = "it is neither a chat nor an authentication server";
        throw new WrongServerError(reason, { isForeign: true });
      }
      this.#isKnown = true;
      if (message?.type === "pong") this.#pongs.shift()?.();
      else if (message) return message;
    }
  }

  /** Sends a message. */
  send(message: ClientMessage): void {
    // Where it fails the connection is lost, and receive() gives the reason.
    this.#conn.send(JSON.stringify(message)).catch(() => this.#conn.close());
  }

  /** Asks for a pong, which comes after the answers to all that was sent before. */
  ping(onPong: () => void): void {
    this.#pongs.push(onPong);
    this.send({ type: "ping" });
  }

  /** Ends it. Idempotent. */
  close(): void {
    this.#isOpen = this.isIn = false;
    clearInterval(this.#timer);
    clearTimeout(this.#firstTimer);
    this.#conn.close();
  }

  async #receiveText(): Promise<string | Error | null> {
    this.#isReceiving = true;
    try {
      return await this.#conn.receive();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#isReceiving = false;
    }
  }

  #end(error: Error | null): Error | null {
    this.close();
    if (this.#isAlive) return error;
    const hint = this.#isKnown ? "" : ": check the port, it may be another server's";
    return new Error(`the server does not answer${hint}`);
  }

  #checkLife(): void {
    // While a slow reader of the output is waited for, nothing is received, and silence proves nothing.
    if (!this.#isReceiving) return;
    if (!this.#isAlive || !this.isIn) {
      this.#isAlive = false;
      return this.#conn.close();
    }
    this.#isAlive = false;
    this.ping(() => {});
  }
}
