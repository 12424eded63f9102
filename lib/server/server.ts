/**
 * A server: a listener, an accept loop, and one function that holds each conversation.
 *
 * @module
 */
import { AcceptLoop } from "./accept_loop.ts";
import { Admission, type AdmissionOptions } from "./admission.ts";
import { Conversation, type ConversationOptions, type Handler } from "./conversation.ts";
import { Conversations, type DrainOptions } from "./conversations.ts";
import { checkMaxBodyBytes } from "../frame/frame.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import { checkLimits } from "../base/limits.ts";
import { listen, type ListenOptions } from "./listen.ts";
import { type ConnInfo, emit, type ServerEvent } from "./server_events.ts";

/** Options for {@linkcode serve}. */
export interface ServeOptions extends ListenOptions, ConversationOptions, AdmissionOptions {
  /** Closes the server at once when it aborts. */
  signal?: AbortSignal | undefined;
}

// So many refused peers at once are told why; beyond, they are just closed, so that refusing costs little.
const MAX_REFUSING = 64;
// With the second that a handler has after its connection was closed, `await using` takes 5 s at most.
const DISPOSE_MS = 4000;

/** A running server. It ends by `shutdown` or `close`; `await using` shuts it down within 5 s. */
export class Server implements AsyncDisposable {
  /** Settles when the server has stopped and every connection is closed. */
  readonly finished: Promise<void>;
  readonly #handler: Handler;
  readonly #options: ServeOptions;
  readonly #admission: Admission;
  readonly #held = new Conversations();
  readonly #refused = new Conversations();
  readonly #finish: () => void;
  /** Set by `#listen`, first of all by the constructor's. */
  #loop!: AcceptLoop;
  #lastId = 0;
  #resuming = false;
  #stopped = false;
  #told = false;

  /** Listens and starts to accept: {@linkcode serve} in the form of a constructor. */
  constructor(handler: Handler, options: ServeOptions = {}) {
    // What is wrong with the limits is said here, not to each client that connects.
    checkOptions(options);
    ({ promise: this.finished, resolve: this.#finish } = Promise.withResolvers<void>());
    this.#handler = handler;
    this.#options = options;
    this.#admission = new Admission(options);
    this.#listen(options);
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.close();
  }

  /** Where it listens, or listened before a pause: the port is the one it really got. */
  get addr(): Deno.NetAddr {
    return this.#loop.addr;
  }

  /** Whether it is paused: it lives, and nobody can connect. */
  get paused(): boolean {
    return this.#loop.closed && !this.#stopped;
  }

  /** How many conversations are going on. */
  get connections(): number {
    return this.#held.size;
  }

  /** Tells who is connected, in the order they came. */
  peers(): ConnInfo[] {
    return this.#held.infos();
  }

  /**
   * Ends the conversations for which `whether` holds, with a goodbye; tells how many.
   *
   * A handler that does not return goes on until it does; who is `kicked` is gone after 2 s, whatever the handler does.
   */
  end(reason: GoodbyeReason, whether: (conn: ConnInfo) => boolean = () => true): number {
    return this.#held.end(reason, whether);
  }

  /**
   * Closes the listener, and ends the conversations with a goodbye that tells clients to come back.
   *
   * Settles when the last of them has ended, as `shutdown` does. A paused server can pause again, to wait for that with a
   * signal.
   */
  async pause(options: DrainOptions = {}): Promise<void> {
    if (this.#stopped) return;
    this.#resuming = false;
    await this.#loop.close();
    if (!this.#stopped) this.end("paused");
    await this.#drain(options);
  }

  /**
   * Listens again, on the same port; a server that is not paused does already.
   *
   * @throws {Deno.errors.BadResource} If the server has stopped.
   * @throws {Deno.errors.AddrInUse} If somebody else has taken the port. The server stays paused.
   */
  async resume(): Promise<void> {
    if (this.#stopped) throw new Deno.errors.BadResource("Cannot resume: the server has stopped");
    if (!this.paused) return;
    this.#resuming = true;
    await this.#loop.ended;
    // Meanwhile somebody else may have resumed it, paused it again, or stopped it.
    if (!this.paused || !this.#resuming) return;
    const { hostname, port } = this.addr;
    this.#listen({ ...this.#options, hostname, port, portAttempts: 1 });
  }

  /**
   * Stops accepting, ends the conversations with a goodbye, and waits until the last handler has returned.
   *
   * That may take as long as a peer likes that does not read what a handler sends: a signal bounds it, such as
   * `AbortSignal.timeout(5000)`. When it aborts, the connections are closed, and each handler has a second to notice. A
   * handler that awaited this would wait for itself.
   */
  async shutdown(options: DrainOptions = {}): Promise<void> {
    this.#stopped = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    await this.#loop.close();
    this.end("shutdown");
    await this.#drain(options);
    this.#finishOnce();
  }

  /** Closes every connection at once, without a goodbye; the handlers have a second to notice. Closing again does nothing. */
  close(): void {
    this.end("shutdown");
    this.#held.abort();
    // Closes those who are being refused, and who is being accepted in this very moment.
    this.shutdown({ signal: AbortSignal.abort() });
  }

  /** Shuts down within 5 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), DISPOSE_MS);
    await this.shutdown({ signal: patience.signal });
    clearTimeout(timer);
  }

  #abort = (): void => this.close();

  #emit(event: ServerEvent): void {
    emit(this.#options.onEvent, event);
  }

  #listen(options: ListenOptions): void {
    this.#loop = new AcceptLoop(listen(options), {
      onConn: (conn) => this.#admit(conn),
      onFailed: (error) => this.#emit({ type: "accept_failed", error }),
      onClosed: () => this.paused && this.#emit({ type: "paused" }),
    });
    const { hostname, port } = this.addr;
    this.#emit({ type: "listening", hostname, port, requestedPort: options.port ?? 0 });
  }

  /** Begins a conversation, or turns the peer away, which it tells. */
  #admit(tcp: Deno.TcpConn | Deno.TlsConn): boolean {
    const conversation = new Conversation(tcp, ++this.#lastId, this.#options);
    const reason = this.#admission.enter(conversation.info.address);
    if (reason === undefined) this.#hold(conversation);
    else this.#turnAway(conversation, reason);
    return reason === undefined;
  }

  #turnAway(conversation: Conversation, reason: GoodbyeReason): void {
    this.#emit({ type: "refused", peer: conversation.info.peer, reason });
    if (this.#refused.size >= MAX_REFUSING) conversation.abort();
    else {
      this.#refused.add(conversation);
      conversation.refuse(reason).then(() => this.#refused.delete(conversation));
    }
  }

  #hold(conversation: Conversation): void {
    this.#held.add(conversation);
    conversation.hold(this.#handler).then(() => {
      this.#held.delete(conversation);
      this.#admission.leave(conversation.info.address);
    });
  }

  async #drain(options: DrainOptions): Promise<void> {
    await Promise.all([this.#held.drain(options), this.#refused.drain(options)]);
  }

  #finishOnce(): void {
    if (this.#told) return;
    this.#told = true;
    this.#emit({ type: "stopped" });
    this.#finish();
  }
}

function checkOptions(options: ServeOptions): void {
  checkMaxBodyBytes(options.maxBodyBytes);
  const { maxConnections, maxPerAddress, idleTimeoutMs, sendTimeoutMs, highWaterMarkBytes } =
    options;
  checkLimits("serve", {
    maxConnections,
    maxPerAddress,
    idleTimeoutMs,
    sendTimeoutMs,
    highWaterMarkBytes,
  });
}

/**
 * Serves framed TCP: `handler` holds the conversation with each client that connects.
 *
 * A handler that fails ends its own conversation and nothing else; the server outlives running out of descriptors.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535, or a limit is less than 0.
 * @throws {TypeError} If a certificate comes without its key.
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
