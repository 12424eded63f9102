/**
 * Connections in memory, for tests.
 *
 * @module
 */

import { checkLimits, checkStrings } from "../base/checks.ts";
import { type ByteSink, type ByteSource, Change, MemoryPipe } from "./memory_pipe.ts";

/** What {@linkcode memoryConnPair} takes. */
export interface MemoryConnOptions {
  /**
   * The most bytes that one `write` takes and one `read` returns; 1 is the hardest test of a loop.
   *
   * @default {Infinity}
   */
  chunkBytes?: number;
  /**
   * How many bytes may be on their way in each direction before a `write` waits for the reader.
   *
   * @default {65_536}
   */
  highWaterMarkBytes?: number;
  /**
   * The address of the first conn, as the second one reports it.
   *
   * @default {"127.0.0.1"}
   */
  clientHostname?: string;
}

/**
 * Makes the two ends of a connection: what is written to one is read from the other.
 *
 * The first is the client's and the second the server's. They behave as TCP conns do: writes may be partial and wait for a
 * slow reader, `closeWrite` closes one direction, a write after the peer has closed may succeed once and then fails with
 * `BrokenPipe`. Two things differ: only microtasks pass between a write and its read, and an open conn holds no descriptor.
 *
 * @throws {RangeError} When a limit is less than 1.
 */
export function memoryConnPair(
  options: MemoryConnOptions = {},
): [MemoryConn, MemoryConn] {
  const { chunkBytes = Infinity, highWaterMarkBytes = 65_536, clientHostname } = options;
  checkLimits("connect in memory", { chunkBytes, highWaterMarkBytes }, 1);
  checkStrings("connect in memory", { clientHostname });
  const there = new MemoryPipe(Math.floor(chunkBytes), Math.floor(highWaterMarkBytes));
  const back = new MemoryPipe(Math.floor(chunkBytes), Math.floor(highWaterMarkBytes));
  const client = memoryAddr(clientHostname ?? "127.0.0.1", 50_000);
  const server = memoryAddr("127.0.0.1", 9090);
  return [new MemoryConn(back, there, client, server), new MemoryConn(there, back, server, client)];
}

/** The address of an end of a connection that has no port of its own. */
export function memoryAddr(hostname: string, port: number): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

/** A `Deno.Conn` over any source and sink, which waits, closes and fails as a TCP conn does. */
export class MemoryConn implements Deno.Conn<Deno.NetAddr> {
  /** The address of this end. */
  readonly localAddr: Deno.NetAddr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.NetAddr;
  readonly #source: ByteSource;
  readonly #sink: ByteSink;
  #closed = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Reads from `source` and writes to `sink`. */
  constructor(
    source: ByteSource,
    sink: ByteSink,
    localAddr: Deno.NetAddr,
    remoteAddr: Deno.NetAddr,
  ) {
    this.#source = source;
    this.#sink = sink;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
  }

  /** Reads what is there, or waits for it; `null` once the peer has finished. */
  async read(p: Uint8Array): Promise<number | null> {
    this.#assertOpen();
    if (p.length === 0) return 0;
    return await this.#settle(() => this.#source.take(p));
  }

  /** Writes as much as one call takes and returns how much, or waits until something is taken. */
  async write(p: Uint8Array): Promise<number> {
    this.#assertOpen();
    return await this.#settle(() => this.#sink.put(p));
  }

  /** Ends this direction: the peer reads `null` after what was written. */
  // deno-lint-ignore require-await -- errors must reject, as they do on a socket
  async closeWrite(): Promise<void> {
    this.#assertOpen();
    this.#sink.end();
  }

  /** Closes both directions; what waits is rejected with `Interrupted`. */
  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#sink.end();
    this.#source.abandon();
  }

  /** Closes the conn as a crash does: what is on its way is lost, and the peer fails with `ConnectionReset`. */
  reset(): void {
    this.#assertOpen();
    this.#sink.reset();
    this.#source.reset();
    this.close();
  }

  /** Closes the conn unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  /** Does nothing: memory keeps no event loop alive. */
  ref(): void {}

  /** Does nothing: memory keeps no event loop alive. */
  unref(): void {}

  /** The received bytes as a stream. Its end closes the whole conn, as on a socket. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream({
      pull: async (controller) => {
        const p = new Uint8Array(65_536);
        const n = await this.read(p);
        if (n !== null) return controller.enqueue(p.subarray(0, n));
        controller.close();
        this[Symbol.dispose]();
      },
      cancel: () => this[Symbol.dispose](),
    });
  }

  /** A stream of the bytes to send. Its end closes the whole conn, as on a socket. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream({
      write: async (chunk) => {
        while (chunk.length > 0) chunk = chunk.subarray(await this.write(chunk));
      },
      close: () => this[Symbol.dispose](),
      abort: () => this[Symbol.dispose](),
    });
  }

  async #settle<T extends number | null>(attempt: () => T | Promise<void>): Promise<T> {
    for (;;) {
      const result = attempt();
      if (!(result instanceof Promise)) return result;
      await result;
      if (this.#closed) throw new Deno.errors.Interrupted("operation canceled");
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
  }
}

/** Both sides of a listener in memory. */
export interface MemoryListener {
  /** The server's side: `serve({ listener })` takes it, and owns it then. */
  readonly listener: {
    readonly addr: Deno.NetAddr;
    accept(): Promise<Deno.Conn<Deno.NetAddr>>;
    close(): void;
  };
  /**
   * Connects, as a client does: settles at once, also before the server accepts.
   *
   * @throws {Deno.errors.ConnectionRefused} If the listener is closed.
   */
  connect(options?: MemoryConnOptions): Promise<Deno.Conn<Deno.NetAddr>>;
}

/**
 * Makes a listener that needs no port and no permission. Its `close` closes the connections that were not accepted.
 *
 * @example A server in memory
 * ```ts
 * import { FramedConn, serve } from "@framed/tcp";
 * import { memoryListener } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { listener, connect } = memoryListener();
 * await using server = serve((conn) => conn.send("hello"), { listener });
 *
 * using conn = new FramedConn(await connect());
 * assertEquals(await conn.receive(), "hello");
 * ```
 */
export function memoryListener(): MemoryListener {
  const backlog: Deno.Conn<Deno.NetAddr>[] = [];
  const change = new Change();
  let closed = false;
  const listener = {
    addr: memoryAddr("127.0.0.1", 9090),
    async accept(): Promise<Deno.Conn<Deno.NetAddr>> {
      while (backlog.length === 0 && !closed) await change.promise;
      if (closed) throw new Deno.errors.BadResource("Bad resource ID");
      return backlog.shift()!;
    },
    close(): void {
      closed = true;
      for (const conn of backlog.splice(0)) conn.close();
      change.notify();
    },
  };
  // deno-lint-ignore require-await -- errors must reject, as they do on a socket
  const connect = async (options?: MemoryConnOptions): Promise<Deno.Conn<Deno.NetAddr>> => {
    if (closed) throw new Deno.errors.ConnectionRefused("Connection refused");
    const [client, server] = memoryConnPair(options);
    backlog.push(server);
    change.notify();
    return client;
  };
  return { listener, connect };
}
