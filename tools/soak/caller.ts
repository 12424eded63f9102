/**
 * Somebody who talks to the chat by hand: well or badly, as told.
 *
 * @module
 */
import type { KeptLogin } from "../../client/session/login.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { parseServerMessage, type ServerMessage } from "../../lib/chat/protocol.ts";

/** Everybody's password. */
export const PASSWORD = "correct horse battery";

/** One connection to the chat, which it owns. */
export class Caller implements Disposable {
  /** The connection. */
  readonly conn: FramedConn;

  private constructor(conn: FramedConn) {
    this.conn = conn;
  }

  /** Connects, and says hello. */
  static async connect(port: number, hello: object = {}): Promise<Caller> {
    const caller = new Caller(await FramedConn.connect({ port }));
    caller.send({ type: "hello", version: 1, ...hello });
    return caller;
  }

  /** Sends a message; when the connection is lost, `next` tells. */
  send(message: object): void {
    this.conn.send(JSON.stringify(message)).catch(() => {});
  }

  /**
   * Receives the next message; `null` at the end.
   *
   * @throws {Error} If it is none of the protocol.
   */
  async next(): Promise<ServerMessage | null> {
    const text = await this.conn.receive();
    if (text === null) return null;
    const message = parseServerMessage(text);
    if (!message) throw new Error("the server sent what is no message");
    return message;
  }

  /** Receives up to a message of one of these types, and gives it; `null` at the end. */
  async until(...types: ServerMessage["type"][]): Promise<ServerMessage | null> {
    for (;;) {
      const message = await this.next();
      if (message === null || types.includes(message.type)) return message;
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** Makes an account, and gives its login. */
export async function register(port: number, name: string): Promise<KeptLogin> {
  using caller = await Caller.connect(port, { history: 0 });
  const hello = await caller.until("hello");
  caller.send({ type: "register", name, password: PASSWORD });
  const answer = await caller.until("welcome", "error");
  if (answer?.type !== "welcome") throw new Error(`${name} was not registered`);
  const data = hello?.type === "hello" && hello.data !== undefined ? { data: hello.data } : {};
  return { name, token: answer.token, tls: false, ...data };
}
