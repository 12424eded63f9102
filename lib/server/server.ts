/**
 * A server: a listener, an accept loop, and one handler function for each connection.
 *
 * @module
 */
import { checkFunctions } from "../base/checks.ts";
import { checkTransport, type Transport } from "../conn/conn_options.ts";
import type { MessageConn } from "../conn/message_conn.ts";
import { AcceptLoop, type Listener } from "./accept_loop.ts";
import type { Handler } from "./conversation.ts";
import { Conversations } from "./conversations.ts";
import { checkGoodbyeReason, type GoodbyeReason } from "./end_reason.ts";
import { drain } from "./finish.ts";
import { listenerOf, type ListenOptions } from "./listen.ts";
import { Refusals } from "./refusal.ts";
import { type ConnInfo, connInfoOf, listeningOn, type ServerEvent } from "./server_events.ts";
import {
  checkArguments,
  checkDrainOptions,
  completedServeOptions,
  type DrainOptions,
  type HttpOption,
  type ServeOptions,
} from "./serve_options.ts";
import { TlsAcceptor } from "./tls/tls_acceptor.ts";
import { TlsServerConn } from "./tls/tls_server_conn.ts";

// With the second that a handler has after its connection was closed, `await using` takes 5 s at most.
const DISPOSE_MS = 4000;

/** A running server. It ends by `shutdown` or `close`; `await using` shuts it down within 5 s. */
export class Server<Addr extends Deno.Addr = Deno.NetAddr> implements AsyncDisposable {
  /** Settles when the server has stopped and every connection is closed. */
  readonly finished: Promise<void>;
  readonly #options: ServeOptions & HttpOption;
  readonly #tls: TlsAcceptor | undefined;
  readonly #conversations: Conversations;
  readonly #refusals: Refusals;
  readonly #finish: () => void;
  /** Set by `#listen`, first of all by the constructor's. */
  #loop!: AcceptLoop;
  #lastId = 0;
  #resuming = false;
  #stopped = false;
  #reported = false;

  /** Listens and starts to accept: {@linkcode serve} in the form of a constructor. */
  constructor(handler: Handler, options: ServeOptions & HttpOption = {}) {
    // What is wrong with the limits is reported here, not to each client that connects.
    checkArguments(handler, options);
    this.#options = completedServeOptions(options);
    ({ promise: this.finished, resolve: this.#finish } = Promise.withResolvers<void>());
    this.#conversations = new Conversations(handler, this.#options);
    this.#refusals = new Refusals(this.#options);
    this.#listen(options);
    const { cert, key, ca, handshakeTimeoutMs } = options;
    if (cert !== undefined && key !== undefined) {
      this.#tls = new TlsAcceptor({ cert, key, ca }, handshakeTimeoutMs);
    }
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.close();
  }

  /** Where it listens, or listened before a pause: the port is the one it really got. */
  get addr(): Addr {
    return this.#loop.addr as Addr;
  }

  /** Whether it is paused: it has not stopped, and accepts no connections. */
  get paused(): boolean {
    return this.#loop.closed && !this.#stopped;
  }

  /** How many connections are served. */
  get connections(): number {
    return this.#conversations.size;
  }

  /** The peers of the connections that are served, in the order they connected; those that only request pages are none. */
  peers(): ConnInfo[] {
    return this.#conversations.peers();
  }

  /**
   * Ends the conversations that `predicate` selects, with a goodbye; returns how many.
   *
   * A handler that does not return runs until it does; a connection that is `kicked` is closed after `closeTimeoutMs`,
   * whatever its handler does.
   *
   * @throws {TypeError} If `reason` is not a `GoodbyeReason`, or `predicate` not a function.
   */
  end(reason: GoodbyeReason, predicate: (conn: ConnInfo) => boolean = () => true): number {
    checkGoodbyeReason(reason);
    checkFunctions("end conversations", { predicate });
    return this.#conversations.end(reason, predicate);
  }

  /**
   * Closes the listener, and ends the conversations with a goodbye that tells clients to come back.
   *
   * Settles when the last of them has ended, as `shutdown` does. A paused server can pause again, to wait for that with a
   * signal.
   */
  async pause(options: DrainOptions = {}): Promise<void> {
    checkDrainOptions("pause", options);
    if (this.#stopped) return;
    this.#resuming = false;
    await this.#endAll("paused", options);
  }

  /**
   * Listens again, on the same port; a server that is not paused does already.
   *
   * @throws {Deno.errors.BadResource} If the server has stopped.
   * @throws {Deno.errors.AddrInUse} If another program has taken the port. The server stays paused.
   */
  async resume(): Promise<void> {
    if (this.#stopped) throw new Deno.errors.BadResource("Cannot resume: the server has stopped");
    if (this.#options.listener) {
      throw new TypeError("Cannot resume: pause() has closed the listener. Start a new server");
    }
    if (!this.paused) return;
    this.#resuming = true;
    await this.#loop.ended;
    // By now it may have been resumed, paused again, or stopped.
    if (!this.paused || !this.#resuming) return;
    const { hostname, port } = this.addr as Deno.NetAddr;
    this.#listen({ ...this.#options, hostname, port, portAttempts: 1 });
  }

  /**
   * Stops accepting, ends the conversations with a goodbye, and waits until the last handler has returned.
   *
   * When a handler has returned, its peer has `closeTimeoutMs` (2 s) to close its end; while it still takes bytes, it is
   * waited for, and a peer that takes nothing is lost after `sendTimeoutMs`. A handler that does not return is waited for
   * without limit. `timeoutMs` bounds all of that: then the connections are closed, and each handler has a second to
   * notice. A handler that awaited this would wait for itself.
   */
  async shutdown(options: DrainOptions = {}): Promise<void> {
    checkDrainOptions("shut down", options);
    this.#stopped = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    await this.#endAll("shutdown", options);
    if (this.#reported) return;
    this.#reported = true;
    this.#emit({ type: "stopped" });
    this.#finish();
  }

  /** Closes every connection at once, without a goodbye; the handlers have a second to notice. Closing again does nothing. */
  close(): void {
    this.end("shutdown");
    for (const conversation of this.#conversations.endings()) conversation.abort();
    // Closes those that are being refused, and one that is being accepted in this very moment.
    this.shutdown({ signal: AbortSignal.abort() });
  }

  /** Shuts down within 5 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown({ timeoutMs: DISPOSE_MS });
  }

  #abort = (): void => this.close();

  #emit(event: ServerEvent): void {
    this.#options.onEvent?.(event);
  }

  #listen(options: ListenOptions): void {
    this.#loop = new AcceptLoop(listenerOf(options), {
      onConn: (conn) => this.#admit(conn),
      onFailed: (error) => this.#emit({ type: "accept_failed", error }),
      onClosed: () => this.paused && this.#emit({ type: "paused" }),
    });
    this.#emit(listeningOn(this.addr, options.listener ? undefined : options.port ?? 0));
  }

  /** Serves a connection or refuses it; returns which. */
  #admit(tcp: Transport): boolean {
    // A listener may be anybody's code. What is no connection must not be counted as one.
    checkTransport("accept", tcp);
    const { keepAlive } = this.#options;
    const info = connInfoOf(tcp, ++this.#lastId);
    const conn = this.#tls ? new TlsServerConn(tcp, this.#tls, keepAlive) : tcp;
    const refusal = this.#conversations.begin(conn, info);
    if (refusal === undefined) return true;
    this.#emit({ type: "refused", peer: info.peer, reason: refusal });
    this.#refusals.refuse(conn, refusal);
    return false;
  }

  async #endAll(reason: "paused" | "shutdown", options: DrainOptions): Promise<void> {
    const closed = this.#loop.close();
    this.end(reason);
    const drained = this.#drain(options);
    await closed;
    // The loop may have accepted some more.
    if (reason === "shutdown" || !this.#stopped) this.end(reason);
    await Promise.all([drained, this.#drain(options)]);
  }

  /** Waits for the conversations, and for the peers that are being refused. */
  #drain(options: DrainOptions): Promise<void> {
    return drain([...this.#conversations.endings(), ...this.#refusals.pending], options);
  }
}

/** Serves the connections of a listener of one's own: see the form with a port. */
export function serve<Addr extends Deno.Addr>(
  handler: Handler,
  options: ServeOptions & { listener: Listener<Addr>; http?: undefined },
): Server<Addr>;
/** Serves on a Unix socket: see the form with a port. */
export function serve(
  handler: Handler,
  options: ServeOptions & { path: string; http?: undefined },
): Server<Deno.UnixAddr>;
/**
 * Serves framed TCP: calls `handler` for each client that connects.
 *
 * A handler that fails ends its own conversation and nothing else; the server outlives running out of descriptors.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy, or the file of the Unix socket exists.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535, or a limit is less than 0.
 * @throws {TypeError} If the handler is not a function, a certificate comes without its key, a listener with a path or from `Deno.listenTls`.
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
export function serve(handler: Handler, options?: ServeOptions & { http?: undefined }): Server;
/** @internal Serves framed TCP, and HTTP and WebSockets beside it, where `http` is given. */
export function serve(handler: Handler<MessageConn>, options: ServeOptions & HttpOption): Server;
export function serve(
  handler: Handler,
  options: ServeOptions & HttpOption = {},
): Server<Deno.Addr> {
  return new Server<Deno.Addr>(handler, options);
}
