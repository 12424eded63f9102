/**
 * The listening thread's handle on the thread of one conversation, and what the two say to each other.
 *
 * @module
 */
import { MessageChannel } from "node:worker_threads";
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";

/** Where a thread finds the handler that it runs. */
export interface HandlerSource {
  /** The URL of the module. */
  module: string;
  /** The name under which the module exports the handler. */
  name: string;
}

/** A thread's first message: what it runs, and the port on which everything else is said. */
export type ThreadStart = HandlerSource & { port: MessagePort };

/** From the listening thread: talk to this peer; the answer to a call. */
export type ThreadNote =
  | { type: "run"; info: ConnInfo }
  | {
    type: "answer";
    id: number;
    value?: string | null;
    error?: { name: string; message: string };
  };

/** From the handler: what its connection is to do, with a number where it waits for the answer. */
export type Call =
  | { type: "receive"; id: number }
  | { type: "send"; id: number; text: string }
  | { type: "close" };

/** From the thread: the handler has returned, or failed by an error of its connection or its own. */
type End = { type: "returned" } | { type: "failed"; isOfConn: boolean; stack: string };

/** A thread that runs one conversation. */
export class ConversationThread implements Disposable {
  /** Counts the threads of a server, from 1. */
  readonly id: number;
  /** Settles when the thread is gone. Deno cannot end a thread that is busy: that one lives until it waits for something. */
  readonly gone: Promise<void>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #end = Promise.withResolvers<void>();
  #conn: MessageConn | undefined;
  /** The last error of the connection. */
  #connError: unknown;

  /** Starts the thread and lets it load the handler. */
  constructor(id: number, handler: HandlerSource) {
    this.id = id;
    // The ports of node:worker_threads report that a thread is gone; a Worker that closes itself does not.
    const { port1, port2 } = new MessageChannel();
    this.#port = port1 as unknown as MessagePort;
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#port.addEventListener("close", () => {
      this.#end.reject(new Error("The thread of the conversation has ended by itself"));
      gone.resolve();
    });
    this.#port.onmessage = ({ data }: MessageEvent<Call | End>) => this.#take(data);
    this.#end.promise.catch(() => {/* Reported by `run`. */});
    this.#worker = new Worker(new URL("./conversation_worker.ts", import.meta.url), {
      type: "module",
    });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end.reject(new Error(event.message));
    };
    this.#worker.postMessage({ ...handler, port: port2 }, [port2 as unknown as Transferable]);
  }

  /**
   * Lets the handler talk to the peer until it returns, or until `graceMs` after the server has ended the conversation.
   * To be called once.
   *
   * @throws What the handler has thrown, or an error that says how the thread ended.
   */
  async run(conn: MessageConn, info: ConnInfo, graceMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#conn = conn;
    this.#port.postMessage({ type: "run", info });
    conn.readClosed.then(() => {
      if (this.#conn) timer = setTimeout(this.#end.resolve, graceMs);
    });
    try {
      await this.#end.promise;
    } finally {
      clearTimeout(timer);
      this.#conn = undefined;
    }
  }

  /** Ends the thread, as soon as it waits for something. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #take(message: Call | End): void {
    switch (message.type) {
      case "returned":
        return this.#end.resolve();
      case "failed":
        return this.#end.reject(this.#errorOf(message));
      case "close":
        return this.#conn?.close();
      case "receive":
        return void this.#answer(message.id, this.#conn?.receive());
      case "send":
        return void this.#answer(message.id, this.#conn?.send(message.text));
    }
  }

  async #answer(id: number, result: Promise<string | null | void> | undefined): Promise<void> {
    try {
      this.#port.postMessage({ type: "answer", id, value: await result ?? null });
    } catch (error) {
      this.#connError = error;
      const { name, message } = error as Error;
      this.#port.postMessage({ type: "answer", id, error: { name, message } });
    }
  }

  /** Where the handler passes on what its connection threw, that very error, by which the server knows the reason. */
  #errorOf({ isOfConn, stack }: End & { type: "failed" }): unknown {
    if (isOfConn) return this.#connError;
    return Object.assign(new Error(stack.split("\n")[0]), { stack });
  }
}
