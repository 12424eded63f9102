/**
 * The accept loop: it takes connection after connection, and only `close` ends it.
 *
 * @module
 */
import type { Listener } from "./listen.ts";

// Out of descriptors, accept fails again and again until somebody disconnects.
const RETRY_MS = 100;

/** What an {@linkcode AcceptLoop} calls. */
export interface AcceptEvents {
  /** Takes over a connection. */
  onConn: (conn: Deno.TcpConn | Deno.TlsConn) => void;
  /** Told why a connection could not be accepted, unless its peer had left already. The loop goes on. */
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
    while (!this.#closed) {
      try {
        this.#events.onConn(await this.#listener.accept());
      } catch (error) {
        if (this.#closed) break;
        // Or peers that reset their connections would let all others wait.
        if (hasLeft(error)) continue;
        // Out of descriptors, say: that may not end the loop.
        this.#events.onFailed(error);
        await this.#pause();
      }
    }
    this.#events.onClosed();
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, RETRY_MS);
    await Promise.race([promise, this.#closing.promise]);
    clearTimeout(timer);
  }
}

/** Whether a peer connected and was gone before it was accepted: to ask for its address fails then. */
function hasLeft(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.ConnectionReset;
}
