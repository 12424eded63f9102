/**
 * The accept loop: accepts one connection after the other until it is closed.
 *
 * @module
 */
import { messageOf } from "../base/thrown.ts";
import type { Transport } from "../conn/conn_options.ts";
import { closeQuietly } from "../conn/conn_streams.ts";

/**
 * What a server accepts connections from: a `Deno.Listener`, or one of your own, such as one that a supervisor of
 * services has opened.
 */
export interface Listener<Addr extends Deno.Addr = Deno.Addr> {
  /** Where it listens. */
  readonly addr: Addr;
  /**
   * Gives the next connection, which the caller owns. Called again after a rejection, unless that is
   * `Deno.errors.BadResource`: then the listener counts as closed.
   */
  accept(): Promise<Transport>;
  /** Stops listening; a pending `accept` must reject. Called once. */
  close(): void;
}

// Without descriptors, accept fails again and again until a connection is closed.
const RETRY_MS = 100;
// However fast refused peers come back, the event loop gets a turn after this many.
const MAX_REFUSED_IN_A_ROW = 32;

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
  #closed = false;
  /** Ends a pause of the loop. A promise of the whole loop would keep a reaction for each pause. */
  #wake: (() => void) | undefined;

  /** Starts to accept. */
  constructor(listener: Listener, events: AcceptEvents) {
    this.addr = listener.addr;
    this.#listener = listener;
    this.#events = events;
    this.ended = this.#acceptAll();
  }

  /** Whether it does not listen any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Stops listening; the promise is `ended`. Closing again does nothing. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      closeQuietly(this.#listener);
      this.#wake?.();
    }
    return this.ended;
  }

  async #acceptAll(): Promise<void> {
    let reported: string | undefined;
    let refused = 0;
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        reported = undefined;
        refused = this.#events.onConn(conn) === false ? refused + 1 : 0;
        if (refused % MAX_REFUSED_IN_A_ROW === 0 && refused > 0) await this.#pause(0);
      } catch (error) {
        if (this.#closed) break;
        // Without a pause: peers that reset their connections must not delay all others.
        if (hasLeft(error)) continue;
        this.#closed = error instanceof Deno.errors.BadResource;
        const message = messageOf(error);
        if (message !== reported) this.#events.onFailed(error);
        reported = message;
        await this.#pause(RETRY_MS);
      }
    }
    this.#events.onClosed();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }
}

/** Whether a peer connected and was gone before it was accepted: to ask for its address fails then. */
function hasLeft(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.ConnectionReset;
}
