/**
 * The answering end of requests and responses.
 *
 * @module
 */
import { checkFunctions, checkLimits, checkObject } from "../base/checks.ts";
import { InvalidMessageError, reasonOf } from "../codec/codec.ts";
import { json, type Validate, validated } from "../codec/json.ts";
import { type TextConn, TypedConn } from "../codec/typed_conn.ts";
import { FrameTooLargeError } from "../frame/frame.ts";
import { guarded, printError } from "../server/guarded.ts";
import {
  type Cancellation,
  checkResult,
  type Failure,
  parseRequest,
  type Request,
  type Response,
  type Result,
} from "./envelope.ts";

/** What a handler knows about a request. */
export interface RequestInfo {
  /**
   * Aborts when the client has given up the request, with an `AbortError`: its answer is not sent any more, and to throw
   * that reason is no failure. Also when the connection is lost, with the error of that.
   */
  readonly signal: AbortSignal;
}

/**
 * Answers one request. Several run at once. A failure that the client should know is returned; what is thrown is reported
 * to `onError`, and the client is told `failed` and no more.
 */
export type RequestHandler<Question, Answer> = (
  question: Question,
  info: RequestInfo,
) => Result<Answer> | Promise<Result<Answer>>;

/** Options for {@linkcode serveRequests}. */
export interface ServeRequestsOptions<Question> {
  /** Checks the body of each request, which comes from the peer: see {@linkcode json}. */
  validate: Validate<Question>;
  /**
   * How many requests of this connection are handled at once. One more waits, and meanwhile nothing is received: that the
   * client gives up a request is noticed later then, unless its `maxPending` is at most this.
   *
   * @default {16}
   */
  maxConcurrent?: number;
  /**
   * Called with what the handler throws. Without it, that is printed to standard error, and so is what it throws itself.
   */
  onError?: (error: unknown) => void;
}

/**
 * Answers the requests that come on a connection, until the peer has finished or the server ends the conversation; then it
 * waits for the handlers that still run, and their answers are sent. A handler of `serve` can return it as it is:
 * {@linkcode RequestClient} shows both ends.
 *
 * A message that is not a request, or whose body `validate` refuses, is answered with the failure `bad_request`. A peer that
 * waits for an answer may be silent for longer than `idleTimeoutMs`.
 *
 * @throws {RangeError} If `maxConcurrent` is less than 1.
 * @throws {Error} What the connection's `receive` throws when the connection is lost.
 */
export async function serveRequests<Question, Answer>(
  conn: TextConn,
  handler: RequestHandler<Question, Answer>,
  options: ServeRequestsOptions<Question>,
): Promise<void> {
  checkObject("serve requests", "conn", conn, ["receive", "send", "close"]);
  checkObject("serve requests", "options", options);
  const { maxConcurrent = 16, validate, onError } = options;
  checkFunctions("serve requests", { handler, validate }, { onError });
  checkLimits("serve requests", { maxConcurrent }, 1);
  await new RequestServer(conn, handler, options).run(maxConcurrent);
}

const FAILED: Failure = { code: "failed", message: "The server could not handle the request" };

class RequestServer<Question, Answer> {
  readonly #conn: TextConn;
  readonly #codec = json<Request | Cancellation, Response>(parseRequest);
  readonly #requests: TypedConn<Request | Cancellation, Response>;
  readonly #handler: RequestHandler<Question, Answer>;
  readonly #validate: Validate<Question>;
  readonly #report: (error: unknown) => void;
  /** The requests that run. A faulty client may use an id for several of them. */
  readonly #running = new Map<Promise<void>, { id: number; controller: AbortController }>();
  #wake: () => void = () => {};

  constructor(
    conn: TextConn,
    handler: RequestHandler<Question, Answer>,
    options: ServeRequestsOptions<Question>,
  ) {
    this.#conn = conn;
    this.#requests = new TypedConn(conn, this.#codec);
    this.#handler = handler;
    this.#validate = options.validate;
    this.#report = options.onError
      ? guarded("onError", options.onError)
      : (error) => printError("A request handler threw", error);
  }

  async run(maxConcurrent: number): Promise<void> {
    try {
      for (let message; (message = await this.#receive()) !== null;) {
        if ("cancel" in message) {
          this.#abort(givenUp(), message.cancel);
          continue;
        }
        if (this.#running.size >= maxConcurrent) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
        this.#start(message);
      }
    } catch (error) {
      this.#abort(error);
      throw error;
    } finally {
      await Promise.all(this.#running.keys());
    }
  }

  async #receive(): Promise<Request | Cancellation | null> {
    for (;;) {
      try {
        return await this.#requests.receive();
      } catch (error) {
        if (this.#isAwaited(error)) continue;
        if (!(error instanceof Deno.errors.InvalidData)) throw error;
        const message = error instanceof InvalidMessageError ? error.reason : error.message;
        await this.#refuse(null, { code: "bad_request", message });
      }
    }
  }

  /** Whether the peer was silent because it waits for an answer. The errors of the operating system have a code. */
  #isAwaited(error: unknown): boolean {
    const isSilence = error instanceof Deno.errors.TimedOut && !("code" in error);
    return isSilence && this.#running.size > 0;
  }

  #start(request: Request): void {
    const controller = new AbortController();
    const done = this.#answer(request, controller.signal).finally(() => {
      this.#running.delete(done);
      this.#wake();
    });
    this.#running.set(done, { id: request.id, controller });
  }

  /** Aborts the signals of all requests, or of those with this id. */
  #abort(reason: unknown, ofId?: number): void {
    for (const { id, controller } of this.#running.values()) {
      if (ofId === undefined || id === ofId) controller.abort(reason);
    }
  }

  async #answer({ id, body }: Request, signal: AbortSignal): Promise<void> {
    const result = await this.#handle(body, signal);
    if (signal.aborted) return;
    try {
      await this.#send(result.error ? { id, error: result.error } : { id, body: result.body });
    } catch (error) {
      // The answer cannot be written as JSON, or is too long.
      this.#report(error);
      await this.#refuse(id, FAILED);
    }
  }

  async #handle(body: unknown, signal: AbortSignal): Promise<Result<Answer>> {
    let question: Question;
    try {
      question = validated(this.#validate, body);
    } catch (error) {
      return { error: { code: "bad_request", message: reasonOf(error) } };
    }
    try {
      const result = await this.#handler(question, { signal });
      checkResult(result);
      return result;
    } catch (error) {
      if (!isPassedOn(error, signal)) this.#report(error);
      return { error: FAILED };
    }
  }

  /** Sends a failure, unless not even that fits into a body. */
  async #refuse(id: number | null, error: Failure): Promise<void> {
    await this.#send({ id, error }).catch(() => {});
  }

  /** Sends a response. That the connection is lost is not reported here: `receive` throws it. */
  async #send(response: Response): Promise<void> {
    const text = this.#codec.encode(response);
    try {
      await this.#conn.send(text);
    } catch (error) {
      if (error instanceof FrameTooLargeError) throw error;
    }
  }
}

function givenUp(): DOMException {
  return new DOMException("The client has given up the request", "AbortError");
}

/** Whether a handler that threw `error` has passed on why its signal has aborted. */
function isPassedOn(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || error instanceof Error && error.cause === reason);
}
