/**
 * A client of the JSON servers, for tests and tools.
 *
 * @module
 */
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { parseServerMessage, type ServerMessage } from "../../lib/chat/protocol.ts";

/** The messages of one type. */
export type Of<Type extends ServerMessage["type"]> =
  & Extract<ServerMessage, { type: Type extends "joined" | "left" ? "joined" | "left" : Type }>
  & { type: Type };

/** What everybody's password is. */
export const PASSWORD = "correct horse";

/** One connection to an authentication or chat server. It remembers all it has received. */
export class ChatClient implements Disposable {
  /** The connection, for what this class does not do. */
  readonly conn: FramedConn;
  /** Everything received so far. */
  readonly received: ServerMessage[] = [];
  #refs = 0;

  /** Talks over a connection, which it owns. */
  constructor(conn: FramedConn) {
    this.conn = conn;
  }

  /** Connects to a server on this machine. */
  static async connect(port: number): Promise<ChatClient> {
    return new ChatClient(await FramedConn.connect({ port }));
  }

  /** Sends an object as JSON, or a text as it is. */
  send(message: object | string): Promise<void> {
    return this.conn.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Receives the next message; `null` at the end. */
  async next(): Promise<ServerMessage | null> {
    const text = await this.conn.receive();
    if (text === null) return null;
    const message = parseServerMessage(text);
    if (!message) throw new Error(`Not a message of a server: ${text}`);
    this.received.push(message);
    return message;
  }

  /** Sends, and receives the next message. */
  async ask(message: object | string): Promise<ServerMessage | null> {
    await this.send(message);
    return await this.next();
  }

  /** Receives up to the next message of a type, and gives that. */
  async until<Type extends ServerMessage["type"]>(type: Type): Promise<Of<Type>> {
    for (;;) {
      const message = await this.next();
      if (message?.type === type) return message as Of<Type>;
      if (message === null) throw new Error(`The connection ended before a message ${type} came`);
    }
  }

  /** Receives up to the next message of one of the types, and gives that; `null` at the end. */
  async untilAny(...types: ServerMessage["type"][]): Promise<ServerMessage | null> {
    for (;;) {
      const message = await this.next();
      if (message === null || types.includes(message.type)) return message;
    }
  }

  /** Everything that was sent to this client until now: the answer to a ping comes after it. */
  async all(): Promise<ServerMessage[]> {
    const from = this.received.length;
    await this.send({ type: "ping" });
    await this.until("pong");
    return this.received.slice(from, -1);
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<ServerMessage[]> {
    const from = this.received.length;
    while (await this.next() !== null);
    return this.received.slice(from);
  }

  /** Says hello and makes an account; gives the token. */
  async register(name: string, hello: object = {}): Promise<string> {
    await this.send({ type: "hello", version: 1, ...hello });
    await this.send({ type: "register", name, password: PASSWORD });
    return (await this.until("welcome")).token;
  }

  /** Says hello and logs in; gives the token. */
  async logIn(name: string, hello: object = {}): Promise<string> {
    await this.send({ type: "hello", version: 1, ...hello });
    await this.send({ type: "login", name, password: PASSWORD });
    return (await this.until("welcome")).token;
  }

  /** Says hello with a token, and waits until it is welcome. */
  async resume(token: string, hello: object = {}): Promise<Of<"welcome">> {
    await this.send({ type: "hello", version: 1, token, ...hello });
    return await this.until("welcome");
  }

  /** Says something and gives its id once it is said. */
  async say(text: string, ref = `ref ${++this.#refs}`): Promise<number> {
    await this.send({ type: "say", ref, text });
    return (await this.until("said")).id;
  }

  /** Tells one user something and gives its id once it is said. */
  async tell(to: string, text: string, ref = `ref ${++this.#refs}`): Promise<number> {
    await this.send({ type: "tell", ref, to, text });
    return (await this.until("said")).id;
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** The texts of the chat's messages among others, in order. */
export function textsIn(messages: readonly ServerMessage[]): string[] {
  return messages.filter((message) => message.type === "message").map(({ text }) => text);
}

/** The ids of the chat's messages among others, in order. */
export function idsIn(messages: readonly ServerMessage[]): number[] {
  return messages.filter((message) => message.type === "message").map(({ id }) => id);
}
