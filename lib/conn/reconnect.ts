/**
 * Connects, and connects again with exponential backoff and jitter.
 *
 * @module
 */

import { FrameTooLargeError } from "../frame/frame.ts";
import { checkFunctions, checkLimits, checkSignal } from "../base/checks.ts";
import { timerDelay } from "../base/numbers.ts";
import { sleep } from "../base/within.ts";

/** How long to wait between attempts to connect. */
export interface BackoffOptions {
  /**
   * The first delay before jitter, in milliseconds.
   * @default {250}
   */
  minMs?: number;
  /**
   * The longest delay before jitter, in milliseconds.
   * @default {15_000}
   */
  maxMs?: number;
  /**
   * How many times longer each delay is than the one before; less than 1 counts as 1.
   * @default {2}
   */
  factor?: number;
}

/** One wait before the next attempt to connect, to be reported. */
export interface ReconnectWait {
  /** Which wait in a row this is, from 1. */
  attempt: number;
  /** How long it lasts, in milliseconds. */
  delayMs: number;
  /** Why there is no connection; `undefined` when the last one ended in good order. */
  error: unknown;
}

/** What a caller of {@linkcode Reconnector.connect} knows about the connection it lost. */
export interface LostConnection {
  /** What broke it, for {@linkcode ReconnectWait.error}. */
  error?: unknown;
  /** How long the server asked clients to stay away, in milliseconds; at most five minutes are granted. */
  retryAfterMs?: number | undefined;
}

/** How a {@linkcode Reconnector} waits and when it stops. */
export interface ReconnectorOptions extends BackoffOptions {
  /**
   * How long a connection must have lived for the delays to start again at `minMs`, in milliseconds, so that a server that
   * accepts and closes at once is not hammered.
   * @default {5000}
   */
  stableMs?: number;
  /** Ends the attempts: a pending {@linkcode Reconnector.connect} rejects with its reason. Established connections live on. */
  signal?: AbortSignal | undefined;
  /** Called at the beginning of each wait. */
  onWait?(wait: ReconnectWait): void;
  /**
   * Returns whether another attempt can succeed after this failure to open a connection.
   * @default {all but those named under "Patient"}
   */
  isRetriable?(error: unknown): boolean;
}

/** The longest time to stay away that a server may ask for: five minutes. */
export const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Yields the delays between attempts, in milliseconds, without end.
 *
 * Each is drawn from the upper half of an interval that grows by `factor` up to `maxMs` ("equal jitter"), so that
 * clients that lost the same server come back spread out.
 *
 * @param options The shape of the growth.
 * @returns The delays.
 */
export function* backoff(options: BackoffOptions = {}): Generator<number, never, void> {
  const { minMs = 250, maxMs = 15_000, factor = 2 } = options;
  // Without the limit of a timer, a delay beyond it would be none at all.
  let ceilingMs = timerDelay(Math.min(minMs, maxMs));
  for (;;) {
    yield Math.round(ceilingMs / 2 * (1 + Math.random()));
    // 0 * Infinity is no number: then it is the longest.
    ceilingMs = Math.min(timerDelay(ceilingMs * Math.max(factor, 1)), timerDelay(maxMs));
  }
}

/**
 * Gives one connection after another to a caller that wants always to be connected.
 *
 * - **Generic.** What a connection is, the `open` function says; logging in may be a part of it.
 * - **Patient.** Every failure of `open` is waited out, except one that no waiting mends: a missing permission
 *   (`Deno.errors.NotCapable`), a certificate that is not trusted or a peer that speaks something else (`InvalidData`), a
 *   port or host that cannot exist (`RangeError`, `URIError`), a `TypeError`. An answer that is no frame, as a proxy in
 *   between gives while the server is away (`FrameTooLargeError`), is waited out.
 * - **Owning nothing.** The caller closes what it was given.
 *
 * @example A client that comes back
 * ```ts
 * import { FramedConn, Reconnector, serve } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve((conn) => conn.send("hello"), { port: 0 });
 * const { port } = server.addr;
 * const reconnector = new Reconnector((signal) => FramedConn.connect({ port, signal }), { minMs: 1 });
 *
 * const heard: (string | null)[] = [];
 * while (heard.length < 2) {
 *   using conn = await reconnector.connect();
 *   heard.push(await conn.receive());
 * }
 * assertEquals(heard, ["hello", "hello"]);
 * ```
 */
export class Reconnector<T> {
  readonly #open: (signal?: AbortSignal) => Promise<T>;
  readonly #options: ReconnectorOptions;
  #delays: Generator<number, never, void>;
  #attempt = 0;
  #openedAt: number | undefined;

  /**
   * Prepares; nothing is connected yet.
   *
   * @param open Opens one connection, or rejects; it is given the signal of the options.
   * @param options The waits.
   * @throws {RangeError} If one of them is less than 0, or not a number.
   * @throws {TypeError} If `open` or a callback is not a function.
   */
  constructor(open: (signal?: AbortSignal) => Promise<T>, options: ReconnectorOptions = {}) {
    const { minMs, maxMs, factor, stableMs, isRetriable, onWait, signal } = options;
    checkFunctions("reconnect", { open }, { isRetriable, onWait });
    checkSignal("reconnect", signal);
    this.#open = open;
    this.#options = options;
    checkLimits("reconnect", { minMs, maxMs, factor, stableMs });
    this.#delays = backoff(options);
  }

  /**
   * Connects: the first time at once, every later time after a wait, and after each failure again. One call at a time.
   *
   * @param lost What is known about the connection given before.
   * @returns A new connection, which the caller owns.
   * @throws {unknown} The reason of the signal once it is aborted, or a failure that no waiting mends.
   */
  async connect(lost: LostConnection = {}): Promise<T> {
    if (this.#openedAt !== undefined) {
      this.#forgetDelaysAfterLongLife(this.#openedAt);
      await this.#wait(lost);
    }
    while (true) {
      this.#options.signal?.throwIfAborted();
      try {
        const opened = await this.#open(this.#options.signal);
        this.#openedAt = performance.now();
        return opened;
      } catch (error) {
        if (!(this.#options.isRetriable ?? isRetriable)(error)) throw error;
        await this.#wait({ error });
      }
    }
  }

  #forgetDelaysAfterLongLife(openedAt: number): void {
    if (performance.now() - openedAt < (this.#options.stableMs ?? 5000)) return;
    this.#delays = backoff(this.#options);
    this.#attempt = 0;
  }

  async #wait({ error, retryAfterMs = 0 }: LostConnection): Promise<void> {
    const { signal, onWait } = this.#options;
    signal?.throwIfAborted();
    const delayMs = timerDelay(grantedMs(retryAfterMs) + this.#delays.next().value);
    onWait?.({ attempt: ++this.#attempt, delayMs, error });
    signal?.throwIfAborted(); // It may have been `onWait` that aborted.
    await sleep(delayMs, signal);
  }
}

/** Bounds what a server asked for at {@linkcode MAX_RETRY_AFTER_MS}: its number may be nonsense. */
export function grantedMs(retryAfterMs: number): number {
  return retryAfterMs > 0 ? Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) : 0;
}

/** The default; asked only after a failure, because a browser has no `Deno`. */
function isRetriable(error: unknown): boolean {
  if (error instanceof FrameTooLargeError) return true;
  const { NotCapable, InvalidData } = Deno.errors;
  return ![NotCapable, InvalidData, RangeError, TypeError, URIError].some((kind) =>
    error instanceof kind
  );
}
