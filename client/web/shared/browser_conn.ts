/// <reference lib="dom" />
/**
 * A connection over the browser's WebSocket: one text message is one body.
 *
 * @module
 */

import type { ChatConn } from "../../session/connection.ts";

/** A server that does not answer is given up after this time, in milliseconds. */
const CONNECT_MS = 10_000;
/** The most characters that wait to be taken: a WebSocket cannot slow its server down. */
const MAX_WAITING_CHARS = 16 * 1024 * 1024;

/** The address of the WebSocket of the server that the page came from. */
export function socketUrl({ protocol, host }: Pick<Location, "protocol" | "host">): string {
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/ws`;
}

/** Connects; rejects when there is no answer, or a signal aborts. The browser does not tell why. */
export async function openWebSocket(url: string, signal?: AbortSignal): Promise<BrowserConn> {
  const socket = new WebSocket(url);
  const conn = new BrowserConn(socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal!.reason);
  const timer = setTimeout(() => reject(new Error("the server does not answer")), CONNECT_MS);
  socket.addEventListener("open", () => resolve());
  socket.addEventListener("close", () => reject(new Error("no connection")));
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    await promise;
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** A connection; what arrives is queued until it is received. */
export class BrowserConn implements ChatConn {
  readonly #socket: WebSocket;
  #texts: string[] = [];
  #waitingChars = 0;
  #isHeard = false;
  #end: Error | null | undefined;
  #arrived = Promise.withResolvers<void>();

  /** Takes a WebSocket, and owns it. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ wasClean, code }) => {
      this.#finish(wasClean ? null : new Error(`the connection was lost (${code})`));
    });
  }

  /** Sends one message. */
  send(text: string): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error("closed"));
    this.#socket.send(text);
    return Promise.resolve();
  }

  /** Gives the next message, `null` at the end. */
  async receive(): Promise<string | null> {
    while (this.#texts.length === 0) {
      if (this.#end) throw this.#end;
      if (this.#end === null) return null;
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
    const text = this.#texts.shift()!;
    this.#waitingChars -= text.length;
    return text;
  }

  /** Closes it unless something arrives in time: the peer was asked for an answer. */
  closeUnlessHeard(ms: number): void {
    this.#isHeard = false;
    setTimeout(() => this.#isHeard || this.close(), ms);
  }

  /** Closes it at once. */
  close(): void {
    this.#texts = [];
    this.#finish(null);
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (this.#end !== undefined) return;
    this.#isHeard = true;
    if (typeof data !== "string") return this.#fail("the server sent a message that is not a text");
    this.#waitingChars += data.length;
    if (this.#waitingChars > MAX_WAITING_CHARS) return this.#fail("the server sent too much");
    this.#texts.push(data);
    this.#arrived.resolve();
  }

  #fail(reason: string): void {
    this.#finish(new Error(reason));
    this.#socket.close();
  }

  #finish(end: Error | null): void {
    if (this.#end === undefined) this.#end = end;
    this.#arrived.resolve();
  }
}
