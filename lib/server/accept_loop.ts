/**
 * The accept loop: accepts one connection after the other until it is closed.
 *
 * @module
 */
import { messageOf, readable } from "../base/thrown.ts";
import { sleep } from "../base/within.ts";
import type { Transport } from "../conn/conn_options.ts";
import { closeQuietly } from "../conn/conn_streams.ts";

/**
 * What a server accepts connections from: a `Deno.Listener`, or one of your own, such as one that a supervisor of
 * services has opened. Not one of `Deno.listenTls`: give `serve` the certificate instead.
 */
export interface Listener<Addr extends Deno.Addr = Deno.Addr> {
  /** Where it listens. */
  readonly addr: Addr;
  /**
   * Gives the next connection, which the caller owns. Called again after a rejection, unless that is
   * `Deno.errors.BadResource`: then the listener counts as closed.
   */
  accept(): Promise<Transport>;
  /**
   * Stops listening; a pending `accept` must reject. One that has not after a second is left alone, and the connection
   * that it gives later is closed. Called once.
   */
  close(): void;
}

// Without descriptors, accept fails again and again until a connection is closed.
const RETRY_MS = 100;
// However fast peers come that are refused or gone, the event loop gets a turn after this many.
const MAX_IN_VAIN = 32;
// A listener of the application's own may keep its accept pending.
const CLOSE_MS = 1000;

/** What an {@linkcode AcceptLoop} calls. */
export interface AcceptEvents {
  /** Takes over a connection. `false` means that the peer was refused. */
  onConn: (conn: Transport) => boolean | void;
  /**
   * Called once with the reason why connections cannot be accepted, until one is again or the reason changes; not for a
   * peer that had left already. The loop continues.
   */
  onFailed: (error: unknown) => void;
  /** Called when the loop has ended and the port is free. */
  onClosed: () => void;
}

/** Accepts from a listener, which it owns, until it is closed. */
export class AcceptLoop {
  /** Where it listens, or listened. */
  readonly addr: Deno.Addr;
  /** Settles after `onClosed`. */
  readonly ended: Promise<void>;
  readonly #listener: Listener;
  readonly #events: AcceptEvents;
  readonly #closing = new AbortController();
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  readonly #end: () => void;

  /** Starts to accept. */
  constructor(listener: Listener, events: AcceptEvents) {
    this.addr = listener.addr;
    this.#listener = listener;
    this.#events = events;
    ({ promise: this.ended, resolve: this.#end } = Promise.withResolvers<void>());
    this.#acceptAll();
  }

  /** Whether it does not listen any more. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Stops listening; the promise is `ended`. Closing again does nothing. */
  close(): Promise<void> {
    if (!this.closed) {
      this.#closing.abort();
      closeQuietly(this.#listener);
      this.#closeTimer = setTimeout(() => this.#finish(), CLOSE_MS);
    }
    return this.ended;
  }

  async #acceptAll(): Promise<void> {
    let reported: string | undefined;
    let inVain = 0;
    while (!this.closed) {
      try {
        const conn = await this.#listener.accept();
        reported = undefined;
        inVain = this.#handOver(conn) ? 0 : inVain + 1;
      } catch (thrown) {
        if (this.closed) break;
        const error = readable(thrown);
        // Without a pause: peers that reset their connections must not delay all others.
        if (hasLeft(error)) inVain++;
        else {
          if (error instanceof Deno.errors.BadResource) this.#closing.abort();
          const message = messageOf(error);
          if (message !== reported) this.#events.onFailed(error);
          reported = message;
          await this.#pause(RETRY_MS);
        }
      }
      if (inVain > 0 && inVain % MAX_IN_VAIN === 0) await this.#pause(0);
    }
    this.#finish();
  }

  /** Hands over a connection; returns whether it was taken. */
  #handOver(conn: Transport): boolean {
    if (this.#isOver) {
      closeQuietly(conn);
      return false;
    }
    try {
      return this.#events.onConn(conn) !== false;
    } catch (error) {
      closeQuietly(conn);
      throw error;
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#closeTimer);
    this.#events.onClosed();
    this.#end();
  }

  /** Waits, or until it is closed. */
  #pause(ms: number): Promise<void> {
    return sleep(ms, this.#closing.signal).catch(() => {/* closed */});
  }
}

/** Whether a peer connected and was gone before it was accepted: to ask for its address fails then. */
function hasLeft(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.ConnectionReset;
}
