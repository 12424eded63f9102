/**
 * A listener over `node:net`.
 *
 * @module
 */
import type { Server } from "node:net";
import { NodeConn } from "./node_conn.ts";
import { nodeNet } from "../faults/node_net.ts";

/** Where a {@linkcode NodeListener} listens. */
export interface NodeListenerOptions {
  /** An address, or `localhost`. */
  hostname: string;
  /** The port; 0 takes any free one. */
  port: number;
  /** How many clients the operating system lets wait to be accepted. */
  tcpBacklog: number;
}

type Waiter = PromiseWithResolvers<Deno.TcpConn>;

// `Server.listen` looks an address up before it listens, and tells the outcome later. This is its second half, which
// listens at once, as `Deno.listen` does.
interface ListensAtOnce {
  _listen2(hostname: string, port: number, family: number, backlog: number): void;
}

/** Accepts connections as a listener of `Deno.listen` does. */
export class NodeListener implements Deno.Listener<Deno.TcpConn, Deno.NetAddr> {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  readonly #server: Server = nodeNet().createServer({ allowHalfOpen: true });
  readonly #accepted: NodeConn[] = [];
  readonly #waiters: Waiter[] = [];
  #closed = false;

  /**
   * Listens.
   *
   * @throws {Deno.errors.AddrInUse} If the port is busy.
   * @throws {TypeError} If the host is a name other than `localhost`.
   */
  constructor(options: NodeListenerOptions) {
    const { port, tcpBacklog } = options;
    const hostname = options.hostname === "localhost" ? "127.0.0.1" : options.hostname;
    const family = nodeNet().isIP(hostname);
    if (family === 0) {
      throw new TypeError("the node transport looks no names up: give an address");
    }
    this.#server.on("connection", (socket) => this.#take(new NodeConn(socket)));
    // What is wrong is known at once, and this event would tell it again.
    this.#server.on("error", () => {});
    (this.#server as unknown as ListensAtOnce)._listen2(hostname, port, family, tcpBacklog);
    const addr = this.#server.address();
    if (addr === null || typeof addr === "string") throw whyBusy(hostname, port);
    this.addr = { transport: "tcp", hostname, port: addr.port };
  }

  /** Waits for the next connection. Rejects with `BadResource` once the listener is closed. */
  async accept(): Promise<Deno.TcpConn> {
    if (this.#closed) throw closedError();
    const conn = this.#accepted.shift();
    if (conn) return conn;
    const waiter: Waiter = Promise.withResolvers();
    this.#waiters.push(waiter);
    return await waiter.promise;
  }

  /** Stops listening; who connected and was not accepted is turned away. */
  close(): void {
    if (this.#closed) throw closedError();
    this.#closed = true;
    this.#server.close();
    for (const conn of this.#accepted) conn.close();
    for (const waiter of this.#waiters) waiter.reject(closedError());
  }

  /** Closes the listener unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  /** Accepts connection after connection until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Deno.TcpConn, void, void> {
    try {
      for (;;) yield await this.accept();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** Lets this listener keep the process alive, as it does from the start. */
  ref(): void {
    this.#server.ref();
  }

  /** Lets the process end while this listener is open. */
  unref(): void {
    this.#server.unref();
  }

  #take(conn: NodeConn): void {
    const waiter = this.#waiters.shift();
    if (waiter) waiter.resolve(conn);
    else this.#accepted.push(conn);
  }
}

/** Finds out why nobody can listen there: `Deno.listen` tells it at once, and in Deno's words. */
function whyBusy(hostname: string, port: number): unknown {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (error) {
    return error;
  }
  return new Deno.errors.AddrInUse(`Cannot listen on ${hostname}: port ${port} was busy`);
}

function closedError(): Error {
  return new Deno.errors.BadResource("Cannot accept: the listener is closed");
}
