/**
 * The listening thread's handle on the thread of one conversation.
 *
 * @module
 */
import { MessageChannel } from "node:worker_threads";
import { unpackError } from "./carried_error.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { pumpIn, pumpOut } from "./port_bridge.ts";
import { PortPipe } from "./port_pipe.ts";
import type { HandlerSource, NoteFromThread, NoteToThread } from "./conversation_messages.ts";

/** Options for {@linkcode ConversationThread.hold}. */
export interface HoldOptions {
  /** A `receive` of the handler waits so long for a byte, in milliseconds; 0 waits for ever. */
  idleTimeoutMs: number;
  /** So long the thread may work on after its socket is lost or the server wants to end, in milliseconds. */
  graceMs: number;
  /** Told of each message, with the length of its body. */
  onSize(type: "received" | "sent", bytes: number): void;
}

/** A thread that holds one conversation. */
export class ConversationThread implements Disposable {
  /** Counts the threads of a server, from 1. */
  readonly id: number;
  /** Settles when the thread is no more. Deno cannot end a thread that is busy: that one lives on until it waits for something. */
  readonly gone: Promise<void>;
  readonly #worker: Worker;
  readonly #pipe: PortPipe;
  readonly #result = Promise.withResolvers<void>();
  readonly #expired = Promise.withResolvers<void>();
  /** The handler has returned or is given up: what happens in its thread means nothing for the socket any more. */
  #over = false;
  #closedByHandler = false;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #onSize: HoldOptions["onSize"] | undefined;
  #conn: FramedConn | undefined;

  /** Starts the thread and lets it load the handler. */
  constructor(id: number, handler: HandlerSource) {
    this.id = id;
    // The ports of node:worker_threads tell when a thread is gone; a Worker that closes itself does not.
    const { port1, port2 } = new MessageChannel();
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#pipe = new PortPipe(port1 as unknown as MessagePort, {
      onNote: (note) => this.#take(note as NoteFromThread),
      onGone: () => {
        this.#settle(new Error("The thread of the conversation has ended by itself"));
        gone.resolve();
      },
    });
    this.#result.promise.catch(() => {/* Told by whoever awaits it. */});
    this.#worker = new Worker(new URL("./conversation_worker.ts", import.meta.url), {
      type: "module",
    });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#settle(new Error(event.message));
    };
    this.#worker.postMessage({ handler, port: port2 }, [port2 as unknown as Transferable]);
  }

  /**
   * Lets the handler talk to the peer until it returns, and moves the bytes meanwhile. To be called once.
   *
   * @throws What the handler has thrown, or an error that tells how the thread ended.
   */
  async hold(conn: FramedConn, info: ConnInfo, options: HoldOptions): Promise<void> {
    const { idleTimeoutMs, graceMs } = options;
    this.#onSize = options.onSize;
    this.#conn = conn;
    const localAddr = conn.localAddr as Deno.NetAddr;
    const remoteAddr = conn.remoteAddr as Deno.NetAddr;
    this.#tell({ type: "hold", start: { info, localAddr, remoteAddr, idleTimeoutMs } });
    const hurry = () => this.#graceTimer ??= setTimeout(this.#expired.resolve, graceMs);
    conn.readClosed.then(() => {
      this.#tell({ type: "stop" });
      hurry();
    });
    let lost: unknown;
    const lose = (error: unknown) => {
      lost ??= error;
      hurry();
    };
    const incoming = pumpIn(conn, this.#pipe).catch(lose);
    const outgoing = this.#pumpOut(conn).catch(lose);
    this.#result.promise.then(hurry, hurry);
    await Promise.race([this.#expired.promise, outgoing.then(() => this.#result.promise)]);
    const returned = this.#over;
    this.#over = true;
    conn.closeRead();
    this.#pipe.abandon();
    await incoming;
    if (this.#closedByHandler) conn.close();
    if (returned) await this.#result.promise;
    else if (lost) throw lost;
  }

  /** Ends the thread, as soon as it waits for something. */
  [Symbol.dispose](): void {
    clearTimeout(this.#graceTimer);
    this.#worker.terminate();
  }

  /** Moves what the handler sends, and finishes or closes the socket as it does. */
  async #pumpOut(conn: FramedConn): Promise<void> {
    await pumpOut(this.#pipe, conn);
    if (!this.#over) await conn.closeWrite();
    await this.#pipe.closed;
    if (!this.#over) conn.close();
  }

  #take(note: NoteFromThread): void {
    if (note.type !== "returned") return this.#onSize?.(note.type, note.bytes);
    this.#closedByHandler = note.closed;
    const error = note.error && unpackError(note.error);
    if (note.isPeers) this.#conn?.blame(error);
    this.#settle(error);
  }

  #settle(error?: Error): void {
    this.#over = true;
    if (error) this.#result.reject(error);
    else this.#result.resolve();
  }

  #tell(note: NoteToThread): void {
    this.#pipe.note(note);
  }
}
