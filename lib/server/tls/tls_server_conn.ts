/**
 * The server's side of TLS on a TCP connection that was accepted in the clear.
 *
 * `Deno.listenTls` is not used: its connections cannot be closed before the handshake has ended (Deno 2.9 keeps the
 * socket open until the peer leaves), and they have no `setNoDelay`, so that small answers wait for a delayed ACK.
 * `node:tls` works on any stream, and closing the `Deno.TcpConn` underneath closes the socket at any time.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Transport } from "../../conn/conn_options.ts";
import { setSocketOptions } from "../../conn/dial.ts";
import type { ClientCertificate } from "../server_events.ts";
import { RefusedCertificateError, type TlsAcceptor } from "./tls_acceptor.ts";
import { streamOver } from "./tls_stream.ts";

// This many decrypted bytes, and one record more, may wait for a `read`; then the socket is not read on.
const MAX_BUFFERED_BYTES = 64 * 1024;
// A record of TLS with a fatal alert (RFC 8446, sections 5.1 and 6).
const UNEXPECTED_MESSAGE = new Uint8Array([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a]);

/** A TLS connection over a TCP connection, which it owns. Only one read may be pending. */
export class TlsServerConn implements Transport, Disposable {
  /** The address of this end. */
  readonly localAddr: Deno.Addr;
  /** The address of the peer. */
  readonly remoteAddr: Deno.Addr;
  /** For the reader of a connection: to read here costs no system call. */
  readonly readsInTurn = true;
  /** What the client has shown, once the handshake has ended, where the server asks for it. */
  certificate: ClientCertificate | undefined;
  readonly #tcp: Transport;
  readonly #stream: Duplex;
  /** Where the server checks the client's certificate, it has none before that. */
  #tls: TLSSocket | undefined;
  readonly #secured: PromiseWithResolvers<void> = Promise.withResolvers();
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #isSecured = false;
  #finished = false;
  #closed = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** Takes over a connection just accepted, and waits for the peer to begin the handshake. */
  constructor(tcp: Transport, acceptor: TlsAcceptor, keepAlive = true) {
    this.localAddr = tcp.localAddr;
    this.remoteAddr = tcp.remoteAddr;
    this.#tcp = tcp;
    setSocketOptions(tcp, keepAlive);
    this.#stream = streamOver(tcp, (error) => this.#fail(error));
    acceptor.accept(this.#stream, {
      onSocket: (tls) => this.#use(tls),
      onSecured: (certificate) => this.#secure(certificate),
      onError: (error) => this.#refuse(error),
      onEnd: () => this.#finish(),
    });
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
    const tls = this.#tls ?? await this.#socket();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    tls.write(p, (error) => {
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
    const tls = this.#tls ?? await this.#socket();
    const { promise, resolve } = Promise.withResolvers<void>();
    tls.once("close", resolve);
    tls.end(resolve);
    await promise;
  }

  /** Closes the socket at once, also before the handshake has ended; what waits is rejected with `Interrupted`. */
  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#chunks = [];
    this.#secured.reject(interrupted());
    this.#tls?.destroy();
    this.#stream.destroy();
    this.#tcp.close();
    this.#wakeUp();
  }

  /** Closes the connection unless it is closed. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  #use(tls: TLSSocket): void {
    this.#tls = tls;
    tls.on("error", (error: Error) => this.#refuse(error));
    tls.on("end", () => this.#finish());
    tls.on("close", () => this.#finish());
    tls.on("data", (chunk: Uint8Array) => this.#take(chunk));
  }

  #secure(certificate?: ClientCertificate): void {
    this.#isSecured = true;
    this.certificate = certificate;
    this.#secured.resolve();
  }

  async #socket(): Promise<TLSSocket> {
    await this.#secured.promise;
    return this.#tls!;
  }

  #take(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= MAX_BUFFERED_BYTES) this.#tls!.pause();
    this.#wakeUp();
  }

  #give(p: Uint8Array): number {
    const chunk = this.#chunks[0]!;
    const given = chunk.length > p.length ? chunk.subarray(0, p.length) : chunk;
    p.set(given);
    if (given === chunk) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(given.length);
    this.#bufferedBytes -= given.length;
    const tls = this.#tls!;
    if (tls.isPaused() && this.#bufferedBytes < MAX_BUFFERED_BYTES) tls.resume();
    return given.length;
  }

  /** Fails with an error of TLS. `node:tls` sends no alert, which tells a client without TLS what it has reached. */
  async #refuse(cause: Error): Promise<void> {
    // The client encrypts already, and could not read the alert.
    if (cause instanceof RefusedCertificateError) return this.#fail(cause);
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

function interrupted(): Error {
  return new Deno.errors.Interrupted("operation canceled");
}
