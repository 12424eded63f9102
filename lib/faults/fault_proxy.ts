/**
 * A network that misbehaves on command: a TCP proxy between any client and any server.
 *
 * @module
 */

import type { Server, Socket } from "node:net";
import {
  FaultConnection,
  type FaultDirection,
  type FaultEndReason,
  nodeNet,
  SOCKET_OPTIONS,
} from "./fault_connection.ts";
import type { LinkEvent } from "./fault_link.ts";
import type { AppliedFault, FaultName } from "./fault_stream.ts";
import { assertFaults, type Faults, type FaultSettings } from "./fault_options.ts";
import { checkLimits } from "../base/checks.ts";
import { timerDelay } from "../base/numbers.ts";

/** What {@linkcode startFaultProxy} takes. */
export interface FaultProxyOptions extends FaultSettings {
  /** The server. Its `hostname` is 127.0.0.1 by default. */
  to: { hostname?: string; port: number };
  /** Where clients connect. By default any free port of 127.0.0.1. */
  listen?: { hostname?: string; port?: number };
  /**
   * Chooses the faults: the same seed, the same faults. Connections are counted from 1, and each
   * has faults of its own.
   *
   * @default {a random number}
   */
  seed?: number;
  /**
   * How many connections are carried at once; the excess are closed as soon as they come. 0 is no limit.
   *
   * @default {1000}
   */
  maxConnections?: number;
  /** Called with what happens, in order. What it throws ends the process, as any unhandled error does. */
  onEvent?(event: FaultProxyEvent): void;
}

/** What happened in a {@linkcode FaultProxy}. `id` counts the connections from 1. */
export type FaultProxyEvent =
  | { type: "listening"; addr: Deno.NetAddr }
  | { type: "refusing"; ms: number }
  | { type: "connected"; id: number; remoteAddr: Deno.NetAddr }
  | { type: "delivered"; id: number; direction: FaultDirection; bytes: Uint8Array; frames: number }
  | AppliedFault & { id: number; direction: FaultDirection }
  | { type: "closed"; id: number; reason: FaultEndReason };

/** What crossed the proxy so far, both ways of all connections together. */
export interface FaultSummary {
  /** How many connections were accepted. */
  connections: number;
  /** What was delivered to the server. */
  up: FaultCounts;
  /** What was delivered to the client. */
  down: FaultCounts;
}

/** The numbers of one direction. */
export interface FaultCounts {
  /** Bytes written to the receiver. */
  bytes: number;
  /** Whole frames among them. */
  frames: number;
  /** How often each fault struck. */
  faults: Partial<Record<FaultName, number>>;
}

/**
 * Starts a proxy that carries bytes between its clients and a server, with faults.
 *
 * Without faults it is as transparent as a proxy can be: bytes, half-closes and resets pass in both
 * directions. It speaks to any TCP program in any language; only the cuts inside a header or a body
 * and the count of frames know what a frame is.
 *
 * @throws {RangeError} When the number of a fault, the server's port or the limit is out of its range.
 * @throws {Error} When it cannot listen, with `code` "EADDRINUSE" when the port is busy.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  assertFaults(options.up ?? {});
  assertFaults(options.down ?? {});
  checkLimits("start a fault proxy", { maxConnections: options.maxConnections });
  const { port: serverPort } = options.to;
  if (!Number.isInteger(serverPort) || serverPort < 1 || serverPort > 65535) {
    throw new RangeError(`Cannot carry to port ${serverPort}: give a whole number from 1 to 65535`);
  }
  const { hostname = "127.0.0.1", port = 0 } = options.listen ?? {};
  return new FaultProxy(await listen(hostname, port), options);
}

/** A running proxy, made by {@linkcode startFaultProxy}. `await using` closes it. */
export class FaultProxy implements AsyncDisposable {
  /** Where clients connect: the port is the one it really got. */
  readonly addr: Deno.NetAddr;
  /** What chose the faults. Give it to another proxy to have the same faults again. */
  readonly seed: number;
  readonly #options: FaultProxyOptions;
  readonly #connections = new Set<FaultConnection>();
  readonly #running = new Set<Promise<void>>();
  readonly #summary: FaultSummary = { connections: 0, up: noCounts(), down: noCounts() };
  #faults: Record<FaultDirection, Faults>;
  #server: Server | undefined;
  #resumeTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Takes over a server that listens. */
  constructor(server: Server, options: FaultProxyOptions) {
    const { address: hostname, port } = server.address() as { address: string; port: number };
    this.addr = { transport: "tcp", hostname, port };
    this.seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
    this.#options = options;
    this.#faults = { up: options.up ?? {}, down: options.down ?? {} };
    this.#use(server);
  }

  /** What crossed so far, in all connections together: a copy. */
  get summary(): FaultSummary {
    return structuredClone(this.#summary);
  }

  /**
   * Replaces the faults of the directions that are named, from the next byte on, in all connections.
   *
   * What waits for a delay or a stall goes at once. `{ up: {} }` ends the faults of a direction.
   *
   * @throws {RangeError} When a number is out of its range; nothing has changed then.
   */
  set(settings: FaultSettings): void {
    const faults = { ...this.#faults, ...settings };
    assertFaults(faults.up);
    assertFaults(faults.down);
    this.#faults = faults;
    for (const connection of this.#connections) connection.set(faults);
  }

  /** Ends all present connections, in order or by a reset. New ones are accepted. */
  cut(by: "close" | "reset"): void {
    for (const connection of this.#connections) connection.end(by);
  }

  /** Refuses new connections for this long; the present ones go on. A second call starts the time anew. */
  refuse(ms: number): void {
    if (this.#closed) return;
    this.#options.onEvent?.({ type: "refusing", ms });
    this.#server?.close();
    this.#server = undefined;
    this.#resumeIn(ms);
  }

  /** Ends everything at once; settles when all sockets are closed. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#resumeTimer);
    this.#server?.close();
    this.#server = undefined;
    for (const connection of this.#connections) connection.end("stopped");
    await Promise.all(this.#running);
  }

  /** The same as {@linkcode FaultProxy.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #use(server: Server): void {
    this.#server = server;
    const { maxConnections = 1000 } = this.#options;
    server.on("connection", (socket: Socket) => {
      if (maxConnections === 0 || this.#connections.size < maxConnections) {
        this.#track(this.#carry(socket));
      } else socket.destroy();
    });
    this.#options.onEvent?.({ type: "listening", addr: this.addr });
  }

  #resumeIn(ms: number): void {
    clearTimeout(this.#resumeTimer);
    const timer = setTimeout(() => this.#track(this.#resume(timer)), timerDelay(ms));
    this.#resumeTimer = timer;
  }

  async #resume(timer: ReturnType<typeof setTimeout>): Promise<void> {
    try {
      const server = await listen(this.addr.hostname, this.addr.port);
      // By now the proxy may be closed, or have to refuse for longer.
      if (this.#closed || timer !== this.#resumeTimer) server.close();
      else this.#use(server);
    } catch {
      // Another program took the port, and may release it.
      if (!this.#closed) this.#resumeIn(LISTEN_RETRY_MS);
    }
  }

  /** `close` waits for it. */
  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #carry(socket: Socket): Promise<void> {
    const id = ++this.#summary.connections;
    const { remoteAddress: hostname = "", remotePort: port = 0 } = socket;
    this.#options.onEvent?.({
      type: "connected",
      id,
      remoteAddr: { transport: "tcp", hostname, port },
    });
    const { to } = this.#options;
    const seeds = [this.seed, id];
    const connection = new FaultConnection(socket, to, this.#faults, seeds, (event) => {
      this.#count(event);
      this.#options.onEvent?.({ ...event, id });
    });
    this.#connections.add(connection);
    const reason = await connection.run();
    this.#connections.delete(connection);
    this.#options.onEvent?.({ type: "closed", id, reason });
  }

  #count(event: LinkEvent & { direction: FaultDirection }): void {
    const counts = this.#summary[event.direction];
    if (event.type === "fault") {
      counts.faults[event.fault] = (counts.faults[event.fault] ?? 0) + 1;
    } else {
      counts.bytes += event.bytes.length;
      counts.frames += event.frames;
    }
  }
}

const LISTEN_RETRY_MS = 100;

function noCounts(): FaultCounts {
  return { bytes: 0, frames: 0, faults: {} };
}

function listen(hostname: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = nodeNet().createServer(SOCKET_OPTIONS);
    server.once("error", reject);
    server.listen(port, hostname, () => resolve(server));
  });
}
