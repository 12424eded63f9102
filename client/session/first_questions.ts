/**
 * What a client asks a server before it logs in, on a connection of its own.
 *
 * @module
 */

import { PROTOCOL_VERSION, type ServerMessage } from "../../lib/chat/protocol.ts";
import { type ChatConn, ChatConnection } from "./connection.ts";
import type { Refusal } from "./session_login.ts";

/** How long a server has to answer before the login, in milliseconds. */
const ANSWER_MS = 3000;

/** Rejects with the reason if no server answers; so that no password is typed for one that is not there. */
export function findServer(connect: (signal: AbortSignal) => Promise<ChatConn>): Promise<void> {
  return withHello(connect, () => Promise.resolve());
}

/** The refusals that are for the name alone. */
export const NAME_REFUSALS: readonly Refusal["code"][] = ["name_taken", "bad_name"];

/**
 * Asks a server, on a connection of its own, whether it would refuse a name for a new account: a registration without a
 * password is refused for the name first.
 *
 * @returns The refusal, `name_taken` or `bad_name`; `null` for a name that is free; `undefined` where the server does not
 * tell, as one does whose `hello` has no `data`.
 */
export async function checkName(
  name: string,
  connect: (signal: AbortSignal) => Promise<ChatConn>,
): Promise<Refusal | null | undefined> {
  try {
    return await withHello(connect, async (connection, hello) => {
      if (hello.type !== "hello" || !hello.data) return undefined;
      connection.send({ type: "register", name, password: "" });
      const answer = await connection.receive();
      if (!answer || !("type" in answer) || answer.type !== "error") return undefined;
      if (answer.code === "weak_password") return null;
      return NAME_REFUSALS.includes(answer.code) ? answer : undefined;
    });
  } catch {
    // The login that follows says what is wrong with the connection.
    return undefined;
  }
}

/** Uses a connection on which the server has answered a `hello`, and closes it; all of that within `ANSWER_MS`. */
async function withHello<T>(
  connect: (signal: AbortSignal) => Promise<ChatConn>,
  use: (connection: ChatConnection, answer: ServerMessage) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  let connection: ChatConnection | undefined;
  const timer = setTimeout(() => {
    timeout.abort(new DOMException("The server does not answer", "TimeoutError"));
    connection?.close();
  }, ANSWER_MS);
  try {
    connection = new ChatConnection(await connect(timeout.signal));
    connection.send({ type: "hello", version: PROTOCOL_VERSION });
    const answer = await connection.receive();
    timeout.signal.throwIfAborted();
    if (answer instanceof Error) throw answer;
    if (answer === null) throw new Error("the server closed the connection");
    return await use(connection, answer);
  } finally {
    clearTimeout(timer);
    connection?.close();
  }
}
