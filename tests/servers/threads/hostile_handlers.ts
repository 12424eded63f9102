/**
 * Handlers that a thread has to bear, and some that tell what they see.
 *
 * @module
 */
import type { ConnInfo } from "../../../lib/server/server_events.ts";
import type { ThreadConn } from "../../../servers/threads/conversation_worker.ts";

/** Echoes, and obeys the orders that harm its own thread. */
export async function obey(conn: ThreadConn): Promise<void> {
  for (let text; (text = await conn.receive()) !== null;) {
    if (text === "throw") throw new Error("thrown in the handler");
    if (text === "throw later") setTimeout(() => fail("thrown in a timer"));
    else if (text === "reject") Promise.reject(new Error("rejected behind the handler's back"));
    else if (text === "overflow") overflow();
    else if (text === "close thread") (self as unknown as Worker & { close(): void }).close();
    else if (text === "exit") Deno.exit(3);
    else if (text === "loop") { for (;;); }
    else if (text === "loop in microtasks") { for (;;) await null; }
    else if (text === "close") conn.close();
    else if (text === "return") return void conn.send("returning");
    else if (text === "never") await new Promise(() => {});
    else await conn.send(text);
  }
}

/** Sends for ever. */
export async function flood(conn: ThreadConn): Promise<void> {
  for (;;) await conn.send("x".repeat(60_000));
}

/** Reads one message and then no more. */
export async function deaf(conn: ThreadConn): Promise<void> {
  await conn.send(`${await conn.receive()}`);
  await new Promise(() => {});
}

/** Tells who is at the other end. */
export async function introduce(conn: ThreadConn, info: ConnInfo): Promise<void> {
  await conn.send(`${info.id} ${info.peer}`);
}

/** Tells how its conversation ended, where the next one can ask. */
export async function lament(conn: ThreadConn): Promise<void> {
  try {
    while (await conn.receive() !== null);
    await conn.send("finished");
  } catch (error) {
    throw new Error(`saw ${(error as Error).constructor === Deno.errors.ConnectionReset}`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function overflow(): number {
  return overflow() + 1;
}
