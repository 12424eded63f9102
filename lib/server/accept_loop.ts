/**
 * The accept loop: it takes connection after connection, and only `close` ends it.
 *
 * @module
 */
import type { Listener } from "./listen.ts";
import { within } from "../base/within.ts";

// Out of descriptors, accept fails again and again until somebody disconnects.
const RETRY_MS = 100;
// Turning peers away must not take all the time there is, however fast they come back: they wait in the backlog.
const REFUSED_MS = 1;

/** What an {@linkcode AcceptLoop} calls. */
export interface AcceptEvents {
  /** Takes over a connection. `false` says that the peer was turned away: the next is accepted a little later. */
  onConn: (conn: Deno.TcpConn | Deno.TlsConn) => boolean | void;
  /**
   * Told once why connections cannot be accepted, until one is again or the reason changes; not of a peer that had left
   * already. The loop goes on.
   */
  onFailed: (error: unknown) => void;
  /** Told that nobody can connect any more, and that the port is free again. */
  onClosed: () => void;
}

/** Accepts from a listener, which it owns, until it is closed. */
export class AcceptLoop {
  /** Where it listens, or listened. */
  readonly addr: Deno.NetAddr;
  /** Settles after `onClosed`. */
  readonly ended: Promise<void>;
  readonly #listener: Listener;
  readonly #events: AcceptEvents;
  readonly #closing: PromiseWithResolvers<void> = Promise.withResolvers();
  #closed = false;

  /** Starts to accept. */
  constructor(listener: Listener, events: AcceptEvents) {
    this.addr = listener.addr;
    this.#listener = listener;
    this.#events = events;
    this.ended = this.#acceptAll();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Stops listening; the promise is `ended`. Closing again does nothing. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#closing.resolve();
      this.#listener.close();
    }
    return this.ended;
  }

  async #acceptAll(): Promise<void> {
    let told: string | undefined;
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        told = undefined;
        if (this.#events.onConn(conn) === false) await within(REFUSED_MS, this.#closing.promise);
      } catch (error) {
        if (this.#closed) break;
        // Or peers that reset their connections would let all others wait.
        if (hasLeft(error)) continue;
        // Out of descriptors, say: that may not end the loop.
        if (String(error) !== told) this.#events.onFailed(error);
        told = String(error);
        await within(RETRY_MS, this.#closing.promise);
      }
    }
    this.#events.onClosed();
  }
}

/** Whether a peer connected and was gone before it was accepted: to ask for its address fails then. */
function hasLeft(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.ConnectionReset;
}
