/**
 * The server's side of TLS on a TCP connection that was accepted in the clear.
 *
 * `Deno.listenTls` is not used: its connections cannot be closed before the handshake has ended (Deno 2.9 keeps the
 * socket open until the peer leaves), and they have no `setNoDelay`, so that small answers wait for a delayed ACK.
 * `node:tls` works on any stream, and closing the `Deno.TcpConn` underneath closes the socket at any time.
 *
 * @module
 */
import type { SecureContext, TLSSocket } from "node:tls";
import type { Transport } from "../conn/conn_options.ts";
import { readEnded, type Reading, readInTurn } from "../base/turns.ts";
import { writeAll } from "../conn/conn_streams.ts";
import { setSocketOptions } from "../conn/dial.ts";
import { isHttp } from "./http_protocol.ts";

// This many decrypted bytes, and one record more, may wait for a `read`; then the socket is not read on.
const MAX_BUFFERED_BYTES = 64 * 1024;
// A connection at rest waits with the small buffer; one read that fills it is followed by reads into the large one.
const MIN_READ_BYTES = 2 * 1024;
const MAX_READ_BYTES = 64 * 1024;
// A record of TLS with a fatal alert (RFC 8446, sections 5.1 and 6).
const UNEXPECTED_MESSAGE = new Uint8Array([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a]);

const HTTPS_ONLY = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n" +
  "connection: close\r\n\r\nThis server speaks TLS: the address begins with https://\n";

/** Makes of a certificate chain and its key, both in PEM, what connections need. */
export function secureContextOf(cert: string, key: string): SecureContext {
  return nodeTls().createSecureContext({ cert, key });
}

/** A TLS connection over a TCP connection, which it owns. Only one read may be pending. */
export class TlsServerConn implements Transport, Disposable {
  /** The address of this end. */
  readonly localAddr: Deno.Addr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.Addr;
  /** For the reader of a connection: to read here costs no system call. */
  readonly readsInTurn = true;
  readonly #tcp: Transport;
  readonly #tls: TLSSocket;
  readonly #secured: PromiseWithResolvers<void> = Promise.withResolvers();
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #isSecured = false;
  #finished = false;
  #closed = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes over a connection just accepted, and waits for the peer to begin the handshake. */
  constructor(tcp: Transport, context: SecureContext, keepAlive = true) {
    this.localAddr = tcp.localAddr;
    this.remoteAddr = tcp.remoteAddr;
    this.#tcp = tcp;
    setSocketOptions(tcp, keepAlive);
    this.#tls = tlsSocketOver(tcp, context, (error) => this.#fail(error));
    this.#tls.on("secure", () => {
      this.#isSecured = true;
      this.#secured.resolve();
    });
    this.#tls.on("error", (error: Error) => this.#refuse(error));
    this.#tls.on("end", () => this.#finish());
    this.#tls.on("close", () => this.#finish());
    this.#tls.on("data", (chunk: Uint8Array) => this.#take(chunk));
    // Where the handshake is not waited for, its failure is reported by the next read.
    this.#secured.promise.catch(() => {});
  }

  /** Settles when the handshake has ended. */
  handshake(): Promise<void> {
    return this.#secured.promise;
  }

  /** Reads what is there, or waits for it; `null` once the peer has finished. */
  async read(p: Uint8Array): Promise<number | null> {
    this.#assertOpen();
    while (this.#bufferedBytes === 0) {
      if (this.#failure) throw this.#failure;
      if (this.#finished) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#closed) throw interrupted();
    }
    return this.#give(p);
  }

  /** Writes all of `p`, which must not change until then. */
  async write(p: Uint8Array): Promise<number> {
    this.#assertOpen();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#tls.write(p, (error) => {
      if (error) {
        reject(
          this.#closed ? interrupted() : this.#failure ?? new Deno.errors.BrokenPipe(error.message),
        );
      } else resolve(p.length);
    });
    return await promise;
  }

  /** Ends this direction: the peer reads `null` after what was written. */
  async closeWrite(): Promise<void> {
    this.#assertOpen();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tls.once("close", resolve);
    this.#tls.end(resolve);
    await promise;
  }

  /** Closes the socket at once, also before the handshake has ended; what waits is rejected with `Interrupted`. */
  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#chunks = [];
    this.#secured.reject(interrupted());
    this.#tls.destroy();
    this.#tcp.close();
    this.#wakeUp();
  }

  /** Closes the connection unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  #take(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= MAX_BUFFERED_BYTES) this.#tls.pause();
    this.#wakeUp();
  }

  #give(p: Uint8Array): number {
    const chunk = this.#chunks[0]!;
    const given = chunk.length > p.length ? chunk.subarray(0, p.length) : chunk;
    p.set(given);
    if (given === chunk) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(given.length);
    this.#bufferedBytes -= given.length;
    if (this.#tls.isPaused() && this.#bufferedBytes < MAX_BUFFERED_BYTES) this.#tls.resume();
    return given.length;
  }

  /** Fails with an error of TLS. `node:tls` sends no alert, which tells a client without TLS what it has reached. */
  async #refuse(cause: Error): Promise<void> {
    if (!this.#closed && !this.#isSecured) {
      await this.#tcp.write(UNEXPECTED_MESSAGE).catch(() => {/* the peer is gone */});
    }
    this.#fail(new Deno.errors.InvalidData(cause.message, { cause }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#secured.reject(this.#failure);
    this.#wakeUp();
  }

  #finish(): void {
    this.#finished = true;
    this.#secured.reject(
      new Deno.errors.UnexpectedEof("The peer left before the end of the TLS handshake"),
    );
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

/** Encrypts over the reads and writes of a TCP connection. What they throw is handed to `onError` as it is. */
function tlsSocketOver(
  tcp: Transport,
  secureContext: SecureContext,
  onError: (error: Error) => void,
): TLSSocket {
  const { Duplex } = globalThis.process.getBuiltinModule("node:stream");
  const failed = (error: Error) => {
    onError(error);
    stream.destroy(error);
  };
  const refuseHttp = () => {
    const error = new Deno.errors.InvalidData("The peer speaks HTTP without TLS");
    writeAll(tcp, new TextEncoder().encode(HTTPS_ONLY)).then(() => failed(error), failed);
  };
  let buffer = new Uint8Array(MIN_READ_BYTES);
  let isFirst = true;
  const take = (bytes: number | null) => {
    readEnded();
    if (isFirst && isHttp(buffer)) return refuseHttp();
    isFirst = false;
    stream.push(bytes === null ? null : buffer.slice(0, bytes));
    const size = bytes === buffer.length ? MAX_READ_BYTES : MIN_READ_BYTES;
    if (size !== buffer.length) buffer = new Uint8Array(size);
  };
  const reading: Reading = { startReading: () => void tcp.read(buffer).then(take, failed) };
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => readInTurn(reading),
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(tcp, chunk).then(() => done(), failed);
    },
    final(done) {
      tcp.closeWrite().then(() => done(), failed);
    },
  });
  stream.on("error", () => {});
  const { TLSSocket } = nodeTls();
  // Its types know only sockets; it takes every duplex stream.
  return new TLSSocket(stream as never, { isServer: true, secureContext });
}

/** Loaded where it is used: imported, it would slow down the start of every program. */
function nodeTls(): typeof import("node:tls") {
  return globalThis.process.getBuiltinModule("node:tls");
}

function interrupted(): Error {
  return new Deno.errors.Interrupted("operation canceled");
}
