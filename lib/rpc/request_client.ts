/**
 * The asking end of requests and responses.
 *
 * @module
 */
import { InvalidMessageError } from "../codec/codec.ts";
import { json, type Validate, validated } from "../codec/json.ts";
import { type TextConn, TypedConn } from "../codec/typed_conn.ts";
import { checkFunctions, checkLimits, checkObject, checkSignal } from "../base/checks.ts";
import { timerDelay } from "../base/numbers.ts";
import { messageOf } from "../base/thrown.ts";
import { quiet } from "../base/within.ts";
import {
  type Cancellation,
  parseResponse,
  type Request,
  type Response,
  type Result,
} from "./envelope.ts";

/** Options for {@linkcode RequestClient}. */
export interface RequestClientOptions<Answer> {
  /** Checks the body of each answer, which comes from the peer: see {@linkcode json}. */
  validate: Validate<Answer>;
  /**
   * How long a request waits for its answer, in milliseconds. 0 sets no limit.
   *
   * @default {30000}
   */
  timeoutMs?: number;
  /**
   * How many requests may be on their way at once. Further ones are sent in their order, as others end; one that was given
   * up counts until the connection has taken it, so that a peer that reads nothing fills no memory.
   *
   * @default {100}
   */
  maxPending?: number;
}

/** Options for {@linkcode RequestClient.request}. */
export interface RequestOptions {
  /** Gives up the request. The peer is told, and may have done what it asks for. */
  signal?: AbortSignal | undefined;
  /** In place of the client's `timeoutMs`. */
  timeoutMs?: number;
}

/** A request that has no answer yet. */
interface Pending {
  readonly id: number;
  readonly text: string;
  readonly answer: PromiseWithResolvers<Response>;
  /** Settles when the connection takes the next one. */
  sent: Promise<void>;
}

/**
 * Sends requests to a peer that answers them with {@linkcode serveRequests}, many at a time on one connection. Each has an
 * id, so that answers may come in any order.
 *
 * - **Owning.** Nothing else may receive from the connection. Closing the client closes it.
 * - **Failures are values.** What the peer answers instead of a body is a part of the result. A request rejects when there
 *   is no answer: it timed out, its signal aborted, or the connection ended.
 * - **No late answers.** The answer to a request that was given up, by its signal or its timeout, is dropped, and the
 *   signal of its handler aborts.
 *
 * @example
 * ```ts
 * import { FramedConn, RequestClient, serve, serveRequests } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * function parseNumber(value: unknown): number {
 *   if (typeof value !== "number") throw new TypeError("it is not a number");
 *   return value;
 * }
 *
 * await using server = serve((conn) =>
 *   serveRequests(conn, (value: number) => {
 *     if (value < 0) return { error: { code: "negative", message: "Give a number from 0" } };
 *     return { body: Math.sqrt(value) };
 *   }, { validate: parseNumber }), { port: 0 });
 *
 * const conn = await FramedConn.connect({ port: server.addr.port });
 * using roots = new RequestClient<number, number>(conn, { validate: parseNumber });
 *
 * assertEquals(await Promise.all([roots.request(9), roots.request(16)]), [{ body: 3 }, { body: 4 }]);
 * const { error } = await roots.request(-1);
 * assertEquals(error?.code, "negative");
 * ```
 */
export class RequestClient<Question, Answer> implements Disposable {
  /** Settles when the connection has ended: no request can be sent any more. */
  readonly ended: Promise<void>;
  readonly #conn: TextConn;
  readonly #codec = json<Response, Request | Cancellation>(parseResponse);
  readonly #validate: Validate<Answer>;
  readonly #timeoutMs: number;
  readonly #maxPending: number;
  /** Sent, by their ids. */
  readonly #pending = new Map<number, Pending>();
  /** To be sent, in their order. */
  readonly #waiting = new Set<Pending>();
  /** Goes through those. A new iterator each time would pass over all that was deleted before. */
  #upcoming = this.#waiting.values();
  #lastId = 0;
  #end: Error | undefined;

  /**
   * Takes over the connection, and starts to receive.
   *
   * @throws {RangeError} If `timeoutMs` is less than 0, or `maxPending` less than 1.
   * @throws {TypeError} If `conn` is not a connection, or there is no `validate`.
   */
  constructor(conn: TextConn, options: RequestClientOptions<Answer>) {
    checkObject("request", "conn", conn, ["receive", "send", "close"]);
    checkObject("request", "options", options);
    const { validate, timeoutMs = 30_000, maxPending = 100 } = options;
    checkFunctions("request", { validate });
    checkLimits("request", { timeoutMs });
    checkLimits("request", { maxPending }, 1);
    this.#conn = conn;
    this.#validate = validate;
    this.#timeoutMs = timeoutMs;
    this.#maxPending = maxPending;
    this.ended = this.#receiveAll();
  }

  /**
   * Sends one request, and gives its result.
   *
   * @throws {Deno.errors.TimedOut} If no answer came within `timeoutMs`.
   * @throws {Deno.errors.ConnectionAborted} If the connection ended before the answer, with the `cause`, if there is one.
   * @throws {Deno.errors.BadResource} If this client was closed.
   * @throws {InvalidMessageError} If `validate` refused the answer.
   * @throws {TypeError} If the question cannot be written as JSON. Nothing is sent.
   * @throws {FrameTooLargeError} If its body is over the limit of the connection. Nothing is sent.
   */
  request(question: Question, options: RequestOptions = {}): Promise<Result<Answer>> {
    return quiet(this.#request(question, options));
  }

  async #request(question: Question, options: RequestOptions): Promise<Result<Answer>> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    checkLimits("request", { timeoutMs });
    checkSignal("request", signal);
    signal?.throwIfAborted();
    if (this.#end) throw this.#end;
    const id = ++this.#lastId;
    const text = this.#codec.encode({ id, body: question });
    const answer = Promise.withResolvers<Response>();
    let isGivenUp = false;
    const timer = timeoutMs > 0 ? setTimeout(expire, timerDelay(timeoutMs)) : undefined;
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort(); // By a `toJSON` of the question.
    const pending = { id, text, answer, sent: Promise.resolve() };
    try {
      this.#waiting.add(pending);
      this.#sendWaiting();
      return this.#validated(await answer.promise);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (!this.#waiting.delete(pending)) {
        if (isGivenUp && !this.#end) pending.sent = this.#cancel(id);
        pending.sent.finally(() => this.#leave(id));
      }
    }

    function expire(): void {
      const state = `no answer came within ${timeoutMs} ms`;
      giveUp(new Deno.errors.TimedOut(`Cannot request: ${state}`));
    }
    function abort(): void {
      giveUp(signal!.reason);
    }
    function giveUp(reason: unknown): void {
      isGivenUp = true;
      answer.reject(reason);
    }
  }

  #validated({ body, error }: Response): Result<Answer> {
    if (error) return { error };
    try {
      return { body: validated(this.#validate, body) };
    } catch (error) {
      throw new InvalidMessageError(this.#conn, error);
    }
  }

  /** Tells the peer that a request was given up. That the connection is lost is reported by `ended`. */
  #cancel(id: number): Promise<void> {
    return Promise.try(() => this.#conn.send(this.#codec.encode({ cancel: id }))).catch(() => {});
  }

  #leave(id: number): void {
    this.#pending.delete(id);
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    while (this.#pending.size < this.#maxPending) {
      const request = this.#upcoming.next().value;
      if (!request) {
        // An iterator that has ended gives nothing that is added later.
        this.#upcoming = this.#waiting.values();
        return;
      }
      this.#waiting.delete(request);
      this.#pending.set(request.id, request);
      // The connection may be anybody's code, whose `send` throws or returns nothing.
      request.sent = Promise.try(() => this.#conn.send(request.text)).catch(request.answer.reject);
    }
  }

  async #receiveAll(): Promise<void> {
    let end: Error = new Deno.errors.ConnectionAborted("Cannot request: the connection has ended");
    try {
      for await (const { id, ...result } of new TypedConn(this.#conn, this.#codec)) {
        if (id !== null) this.#pending.get(id)?.answer.resolve({ id, ...result });
      }
    } catch (error) {
      end = new Deno.errors.ConnectionAborted(
        `Cannot request: the connection has ended: ${messageOf(error)}`,
        { cause: error },
      );
    }
    this.#stop(end);
  }

  /** Closes the connection: each request that has no answer rejects. Closing again does nothing. */
  close(): void {
    this.#stop(new Deno.errors.BadResource("Cannot request: the client is closed"));
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #stop(end: Error): void {
    this.#end ??= end;
    for (const { answer } of [...this.#pending.values(), ...this.#waiting]) {
      answer.reject(this.#end);
    }
    this.#waiting.clear();
    this.#conn.close();
  }
}
