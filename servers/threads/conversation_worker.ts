/**
 * The thread of one conversation: the handler runs here, and blocks or breaks nothing but this conversation.
 *
 * A thread cannot be given a socket. The handler gets a connection that asks the listening thread, by messages over a
 * port, to receive and to send.
 *
 * @module
 */
import { stackOf } from "../../lib/base/thrown.ts";
import { unlessAborted } from "../../lib/base/within.ts";
import type { MessageConn, ReceiveOptions } from "../../lib/conn/message_conn.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { Call, ThreadNote, ThreadStart } from "./conversation_thread.ts";

/** What a handler in a thread can do with its connection. */
export type ThreadConn = Pick<MessageConn, "receive" | "send" | "close">;

/** A handler that runs in a thread. */
export type ThreadHandler = (conn: ThreadConn, info: ConnInfo) => Promise<void> | void;

/** The part of a worker's global scope that is used; the default library knows only the window's. */
const thread = self as unknown as {
  onmessage: ((event: MessageEvent<ThreadStart>) => void) | null;
};

const CLASSES: Record<string, new (message: string) => Error> = {
  ...Deno.errors,
  RangeError,
  TypeError,
};

/** A connection whose socket is in the listening thread. */
class PortConn implements ThreadConn {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, PromiseWithResolvers<string | null | void>>();
  /** What the connection threw: passed on by the handler, it is not the handler's own failure. */
  readonly #errors = new WeakSet<object>();
  #lastId = 0;
  /** A receive whose caller has given up: the next one gets its message. */
  #received: Promise<string | null> | undefined;
  #receiving = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  async receive({ signal }: ReceiveOptions = {}): Promise<string | null> {
    if (this.#receiving) throw new TypeError("Cannot receive: another receive is pending");
    this.#receiving = true;
    this.#received ??= this.#call({ type: "receive" }) as Promise<string | null>;
    try {
      const text = await unlessAborted(this.#received, signal);
      this.#received = undefined;
      return text;
    } catch (error) {
      if (!signal?.aborted) this.#received = undefined;
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  send(text: string): Promise<void> {
    return this.#call({ type: "send", text }) as Promise<void>;
  }

  close(): void {
    this.#port.postMessage({ type: "close" });
  }

  /** Takes the answer to a call. */
  settle({ id, value, error }: ThreadNote & { type: "answer" }): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (!error) return call?.resolve(value);
    // A port delivers each error as a plain `Error`; handlers tell errors apart by their class.
    const Class = Object.hasOwn(CLASSES, error.name) ? CLASSES[error.name]! : Error;
    const copy = new Class(error.message);
    this.#errors.add(copy);
    call?.reject(copy);
  }

  /** Reports that the handler has returned, or with what error it, or what it left behind, has ended. */
  finish(thrown?: { error: unknown }): void {
    if (!thrown) return this.#port.postMessage({ type: "returned" });
    const { error } = thrown;
    const isOfConn = error instanceof Error && this.#errors.has(error);
    this.#port.postMessage({ type: "failed", isOfConn, stack: stackOf(error) });
  }

  #call(call: Omit<Call & { type: "receive" }, "id"> | Omit<Call & { type: "send" }, "id">) {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<string | null | void>();
    // An answer that the handler does not wait for needs no handling.
    answer.promise.catch(() => {});
    this.#calls.set(id, answer);
    this.#port.postMessage({ ...call, id });
    return answer.promise;
  }
}

thread.onmessage = ({ data: { module, name, port } }) => {
  const conn = new PortConn(port);
  const loading: Promise<ThreadHandler> = import(module).then((module) => module[name]);
  loading.catch(() => {/* Reported by the conversation that needs it. */});
  port.onmessage = ({ data }: MessageEvent<ThreadNote>) => {
    if (data.type === "answer") conn.settle(data);
    else run(loading, conn, data.info);
  };
  // An error that nothing caught ends the conversation as if the handler had thrown it.
  addEventListener("error", (event) => {
    event.preventDefault();
    conn.finish({ error: event.error });
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    conn.finish({ error: event.reason });
  });
};

async function run(loading: Promise<ThreadHandler>, conn: PortConn, info: ConnInfo): Promise<void> {
  try {
    const handler = await loading;
    await handler(conn, info);
    conn.finish();
  } catch (error) {
    conn.finish({ error });
  }
}
