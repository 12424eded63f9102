/**
 * A server: a listener, an accept loop, and one function that holds each conversation.
 *
 * @module
 */
import {
  type ConnInfo,
  Conversation,
  type ConversationOptions,
  emit,
  type Handler,
} from "./conversation.ts";
import type { GoodbyeReason } from "./goodbye.ts";
import { listen, type Listener, type ListenOptions } from "./listen.ts";

/** Options for {@linkcode serve}. */
export interface ServeOptions extends ListenOptions, ConversationOptions {
  /**
   * How many connections are served at once; the excess get a goodbye. 0 sets no limit.
   *
   * @default {10000}
   */
  maxConnections?: number;
  /**
   * How many connections from one address are served at once; the excess get a goodbye. 0 sets no limit.
   *
   * @default {0}
   */
  maxPerAddress?: number;
  /** Closes the server at once when it aborts. */
  signal?: AbortSignal;
}

/** Options for {@linkcode Server.pause} and {@linkcode Server.shutdown}. */
export interface DrainOptions {
  /** Ends the patience: connections whose handlers have not returned by then are closed. */
  signal?: AbortSignal;
}

// Out of descriptors, accept fails again and again until somebody disconnects.
const ACCEPT_RETRY_MS = 100;
// So many refused peers at once are told why; beyond, they are just closed, so that refusing costs little.
const MAX_REFUSING = 64;

/** A running server. It ends by `shutdown` or `close`; `await using` shuts it down within 5 s. */
export class Server implements AsyncDisposable {
  /** Settles when the server has stopped and every connection is closed. */
  readonly finished: Promise<void>;
  readonly #handler: Handler;
  readonly #options: ServeOptions;
  readonly #addr: Deno.NetAddr;
  readonly #conversations = new Set<Conversation>();
  readonly #perAddress = new Map<string, number>();
  readonly #finish: () => void;
  #listener: Listener | undefined;
  #accepting: Promise<void> = Promise.resolve();
  #idle: PromiseWithResolvers<void> | undefined;
  #lastId = 0;
  #refusing = 0;
  #stopped = false;
  #told = false;

  /** Listens and starts to accept: {@linkcode serve} in the form of a constructor. */
  constructor(handler: Handler, options: ServeOptions = {}) {
    ({ promise: this.finished, resolve: this.#finish } = Promise.withResolvers<void>());
    this.#handler = handler;
    this.#options = options;
    this.#listener = listen(options);
    this.#addr = this.#listener.addr;
    options.signal?.addEventListener("abort", this.#abort);
    this.#accepting = this.#acceptAll(this.#listener);
    this.#tellListening(options.port ?? 0);
    if (options.signal?.aborted) this.close();
  }

  /** Where it listens, or listened before a pause: the port is the one it really got. */
  get addr(): Deno.NetAddr {
    return this.#addr;
  }

  /** Whether it is paused: it lives, and nobody can connect. */
  get paused(): boolean {
    return this.#listener === undefined && !this.#stopped;
  }

  /** How many conversations are going on. */
  get connections(): number {
    return this.#conversations.size;
  }

  /** Tells who is connected, in the order they came. */
  peers(): ConnInfo[] {
    return Array.from(this.#conversations, (conversation) => conversation.info);
  }

  /** Ends the conversations for which `whether` holds, with a goodbye; tells how many. */
  end(reason: GoodbyeReason, whether: (conn: ConnInfo) => boolean = () => true): number {
    const ending = [...this.#conversations].filter(({ info }) => whether(info));
    for (const conversation of ending) conversation.end(reason);
    return ending.length;
  }

  /** Closes the listener, and ends the conversations with a goodbye that tells clients to come back. */
  async pause(options: DrainOptions = {}): Promise<void> {
    if (this.paused || this.#stopped) return;
    await this.#stopListening();
    this.end("paused");
    await this.#drain(options.signal);
    emit(this.#options.onEvent, { type: "paused" });
  }

  /**
   * Listens again, on the same port.
   *
   * @throws {Deno.errors.AddrInUse} If somebody else has taken the port. The server stays paused.
   */
  async resume(): Promise<void> {
    await this.#accepting;
    if (!this.paused) return;
    const { hostname, port } = this.#addr;
    this.#listener = listen({ ...this.#options, hostname, port, portAttempts: 1 });
    this.#accepting = this.#acceptAll(this.#listener);
    this.#tellListening(port);
  }

  /** Stops accepting, ends the conversations with a goodbye, and waits until the last handler has returned. */
  async shutdown(options: DrainOptions = {}): Promise<void> {
    await this.#stop();
    this.end("shutdown");
    await this.#drain(options.signal);
    this.#finishOnce();
  }

  /** Closes everything at once, without a goodbye. Closing again does nothing. */
  close(): void {
    const stopping = this.#stop();
    for (const conversation of this.#conversations) conversation.abort();
    Promise.all([stopping, this.#drain()]).then(() => this.#finishOnce());
  }

  /** Shuts down within 5 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), 5000);
    await this.shutdown({ signal: patience.signal });
    clearTimeout(timer);
  }

  #abort = (): void => this.close();

  #tellListening(requestedPort: number): void {
    const { hostname, port } = this.#addr;
    emit(this.#options.onEvent, { type: "listening", hostname, port, requestedPort });
  }

  async #acceptAll(listener: Listener): Promise<void> {
    while (this.#listener === listener) {
      try {
        this.#admit(await listener.accept());
      } catch (error) {
        if (this.#listener !== listener) return;
        // Out of descriptors, or a peer that left while it waited: neither may end the loop.
        emit(this.#options.onEvent, { type: "accept_failed", error });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  #admit(tcp: Deno.TcpConn | Deno.TlsConn): void {
    const conversation = new Conversation(tcp, ++this.#lastId, this.#options);
    const { maxConnections = 10_000, maxPerAddress = 0 } = this.#options;
    const fromAddress = this.#perAddress.get(conversation.info.address) ?? 0;
    if (maxConnections && this.connections >= maxConnections) this.#refuse(conversation, "full");
    else if (maxPerAddress && fromAddress >= maxPerAddress) this.#refuse(conversation, "crowded");
    else this.#hold(conversation);
  }

  async #hold(conversation: Conversation): Promise<void> {
    const { address } = conversation.info;
    this.#conversations.add(conversation);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    await conversation.hold(this.#handler);
    this.#conversations.delete(conversation);
    const left = this.#perAddress.get(address)! - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
    if (this.connections === 0) this.#idle?.resolve();
  }

  async #refuse(conversation: Conversation, reason: GoodbyeReason): Promise<void> {
    if (this.#refusing >= MAX_REFUSING) return conversation.abort();
    this.#refusing++;
    await conversation.refuse(reason);
    this.#refusing--;
  }

  async #stopListening(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.close();
    // Until the pending accept has rejected, the port cannot be taken again.
    await this.#accepting;
  }

  #stop(): Promise<void> {
    this.#stopped = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    return this.#stopListening();
  }

  /** Waits until no conversation is left; when `signal` aborts, closes those that are. */
  async #drain(signal?: AbortSignal): Promise<void> {
    if (this.connections === 0) return;
    const abortAll = () => this.#conversations.forEach((conversation) => conversation.abort());
    signal?.addEventListener("abort", abortAll);
    if (signal?.aborted) abortAll();
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
    this.#idle = undefined;
    signal?.removeEventListener("abort", abortAll);
  }

  #finishOnce(): void {
    if (this.#told) return;
    this.#told = true;
    emit(this.#options.onEvent, { type: "stopped" });
    this.#finish();
  }
}

/**
 * Serves framed TCP: `handler` holds the conversation with each client that connects.
 *
 * A handler that fails ends its own conversation and nothing else; the server outlives running out of descriptors.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535.
 *
 * @example An echo server
 * ```ts
 * import { FramedConn, serve } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (conn) => {
 *   for await (const text of conn) await conn.send(text);
 * }, { port: 0 });
 *
 * using conn = await FramedConn.connect({ port: server.addr.port });
 * assertEquals(await conn.request("hello"), "hello");
 * ```
 */
export function serve(handler: Handler, options: ServeOptions = {}): Server {
  return new Server(handler, options);
}
