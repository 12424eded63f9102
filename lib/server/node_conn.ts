/**
 * A `Deno.TcpConn` over a socket of `node:net`, whose reads are served fairly however many connections are busy.
 *
 * @module
 */
import type { Socket } from "node:net";
import { readableOf, writableOf } from "../conn/conn_streams.ts";

// A peer may run ahead of its reader by so much, and by one chunk of the socket's; then the socket is paused.
const MAX_BUFFERED_BYTES = 64 * 1024;

const ERRORS: Record<string, new (message: string, options?: ErrorOptions) => Error> = {
  ECONNRESET: Deno.errors.ConnectionReset,
  ECONNABORTED: Deno.errors.ConnectionAborted,
  EPIPE: Deno.errors.BrokenPipe,
  ERR_STREAM_WRITE_AFTER_END: Deno.errors.BrokenPipe,
  ERR_STREAM_DESTROYED: Deno.errors.BrokenPipe,
  ETIMEDOUT: Deno.errors.TimedOut,
};

/** A conn that waits, closes and fails as those of `Deno.listen` do. Only one read may be pending. */
export class NodeConn implements Deno.TcpConn {
  /** The address of this end. */
  readonly localAddr: Deno.NetAddr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.NetAddr;
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #finished = false;
  #closed = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** Takes over a connected socket that was made with `allowHalfOpen`. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.localAddr = netAddr(socket.localAddress, socket.localPort);
    this.remoteAddr = netAddr(socket.remoteAddress, socket.remotePort);
    socket.on("error", (error) => this.#fail(error));
    socket.on("end", () => this.#finish());
    socket.on("close", () => this.#finish());
    socket.on("data", (chunk) => this.#take(chunk as Uint8Array));
  }

  /** Reads what is there, or waits for it; `null` once the peer has finished. */
  async read(p: Uint8Array): Promise<number | null> {
    this.#assertOpen();
    if (p.length === 0) return 0;
    if (this.#wake) throw new Deno.errors.Busy("Cannot read: another read is pending");
    while (this.#bufferedBytes === 0) {
      if (this.#failure) throw this.#failure;
      if (this.#finished) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#closed) throw interrupted();
    }
    return this.#give(p);
  }

  /** Writes all of `p`, which must not change until then; waits while the peer reads too slowly. */
  async write(p: Uint8Array): Promise<number> {
    this.#assertOpen();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.write(p, (error) => {
      if (!error) resolve(p.length);
      else reject(this.#closed ? interrupted() : errorOf(error));
    });
    return await promise;
  }

  /** Ends this direction: the peer reads `null` after what was written. */
  async closeWrite(): Promise<void> {
    this.#assertOpen();
    if (this.#socket.writableEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", resolve);
    this.#socket.end(resolve);
    await promise;
  }

  /** Closes both directions; what waits is rejected with `Interrupted`. */
  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#chunks = [];
    this.#socket.destroy();
    this.#wakeUp();
  }

  /** Closes the conn unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  /** Sends small writes at once, or with `false` gathers them first. */
  setNoDelay(noDelay = true): void {
    this.#socket.setNoDelay(noDelay);
  }

  /** Lets the operating system ask now and then whether the peer is still there. */
  setKeepAlive(keepAlive = true): void {
    this.#socket.setKeepAlive(keepAlive);
  }

  /** Lets this conn keep the process alive, as it does from the start. */
  ref(): void {
    this.#socket.ref();
  }

  /** Lets the process end while this conn is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** The received bytes as a stream. Its end leaves the conn open for sending. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  /** A stream of the bytes to send; closing it is `closeWrite`. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  #take(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= MAX_BUFFERED_BYTES) this.#socket.pause();
    this.#wakeUp();
  }

  #give(p: Uint8Array): number {
    const chunk = this.#chunks[0]!;
    const given = chunk.length > p.length ? chunk.subarray(0, p.length) : chunk;
    p.set(given);
    if (given === chunk) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(given.length);
    this.#bufferedBytes -= given.length;
    if (this.#socket.isPaused() && this.#bufferedBytes < MAX_BUFFERED_BYTES) this.#socket.resume();
    return given.length;
  }

  #fail(error: Error): void {
    this.#failure ??= errorOf(error);
    this.#wakeUp();
  }

  #finish(): void {
    this.#finished = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
  }
}

function netAddr(hostname = "", port = 0): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

function interrupted(): Error {
  return new Deno.errors.Interrupted("operation canceled");
}

/** The error that a conn of `Deno.listen` fails with where a socket of `node:net` fails with `error`. */
function errorOf(error: Error & { code?: string }): Error {
  const DenoError = ERRORS[error.code ?? ""];
  return DenoError ? new DenoError(error.message, { cause: error }) : error;
}
