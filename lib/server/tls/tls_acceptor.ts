/**
 * The server's certificate, and its check of those of clients.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { SecureContext, TLSSocket } from "node:tls";
import { timerDelay } from "../../base/numbers.ts";
import type { ClientCertificate } from "../server_events.ts";

/** What TLS needs of a server's options, all in PEM. */
export interface TlsIdentity {
  /** The certificate chain. */
  cert: string;
  /** Its private key. */
  key: string;
  /** Whose certificates the clients must show, if any. */
  ca?: string | undefined;
}

/** What a {@linkcode TlsAcceptor} calls for a connection. */
export interface TlsEvents {
  /** Takes the socket of TLS: at once, or where certificates are checked, when that has been done. */
  onSocket(socket: TLSSocket): void;
  /** The handshake has ended; what the client has shown is valid. */
  onSecured(certificate?: ClientCertificate): void;
  /** The handshake has failed; a {@linkcode RefusedCertificateError} says that it is the client's certificate. */
  onError(error: Error): void;
  /** The stream has ended before a socket was given. */
  onEnd(): void;
}

/** The client has shown no certificate, or one that no authority of the server has signed, or that has expired. */
export class RefusedCertificateError extends Deno.errors.InvalidData {}

// So many certificates are remembered. One that is forgotten is checked at the next handshake without a session.
const MAX_CHECKED = 10_000;

/** Begins TLS on accepted connections. */
export class TlsAcceptor {
  readonly #identity: TlsIdentity;
  readonly #context: SecureContext;
  /**
   * The conversation ends a handshake in time, and closes its connection. `node:tls` keeps the memory of one that has
   * failed until its own limit has passed (Deno 2.9), so that comes soon after.
   */
  readonly #abandonMs: number;
  /** Until when each certificate is valid that was checked here, by its fingerprint. */
  readonly #checked = new Map<string, number>();

  /** Takes a certificate and its key, which must be a pair, and the limit of a handshake; 0 is none. */
  constructor(identity: TlsIdentity, handshakeTimeoutMs = 10_000) {
    const { cert, key } = identity;
    this.#identity = identity;
    this.#abandonMs = timerDelay(handshakeTimeoutMs === 0 ? Infinity : handshakeTimeoutMs + 1000);
    this.#context = nodeTls().createSecureContext({ cert, key });
  }

  /** Begins the handshake over a stream. */
  accept(stream: Duplex, events: TlsEvents): void {
    if (this.#identity.ca !== undefined) return this.#acceptCertified(stream, events);
    const { TLSSocket } = nodeTls();
    // Its types know only sockets; it takes every duplex stream.
    const secureContext = this.#context;
    const socket = new TLSSocket(stream as never, { isServer: true, secureContext });
    socket.on("secure", () => events.onSecured());
    events.onSocket(socket);
  }

  /**
   * Only a server of `node:tls` checks the certificate of a client: a `TLSSocket` alone takes any (Deno 2.9). Each
   * connection has one of its own, which costs 0.3 ms: the events of a server do not say which stream they belong to.
   */
  #acceptCertified(stream: Duplex, events: TlsEvents): void {
    const server = nodeTls().createServer({
      ...this.#identity as Required<TlsIdentity>,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: this.#abandonMs,
    });
    const onEnd = () => events.onEnd();
    stream.once("end", onEnd);
    server.on("secureConnection", (socket) => {
      stream.off("end", onEnd);
      const error = socket.authorized ? this.#refuseSession(socket) : refused(socket);
      if (error) {
        events.onError(error);
        return void socket.destroy();
      }
      events.onSocket(socket);
      events.onSecured(certificateOf(socket));
    });
    server.on("tlsClientError", (error: Error & { code?: string }, socket) => {
      if (error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
        events.onError(new RefusedCertificateError("The client has shown no certificate"));
      } else if (socket.authorizationError) events.onError(refused(socket));
      else if (error.code === "ECONNRESET") onEnd();
      else events.onError(error);
    });
    server.emit("connection", stream);
  }

  /**
   * All servers of a process resume the sessions of each other, and none checks the certificate of one again, whatever
   * its authorities are (Deno 2.9). So one whose certificate was not checked here, or has expired since, is refused.
   */
  #refuseSession(socket: TLSSocket): RefusedCertificateError | undefined {
    const { fingerprint256, valid_to } = socket.getPeerCertificate();
    if (!socket.isSessionReused()) {
      this.#checked.delete(fingerprint256);
      this.#checked.set(fingerprint256, Date.parse(valid_to));
      if (this.#checked.size <= MAX_CHECKED) return undefined;
      for (const [first] of this.#checked.entries().take(1)) this.#checked.delete(first);
    } else if (!((this.#checked.get(fingerprint256) ?? 0) > Date.now())) {
      return new RefusedCertificateError("The session of the client is none of this server's");
    }
    return undefined;
  }
}

function refused({ authorizationError }: TLSSocket): RefusedCertificateError {
  const reason = String(authorizationError);
  return new RefusedCertificateError(`The certificate of the client is refused: ${reason}`);
}

function certificateOf(socket: TLSSocket): ClientCertificate {
  const { subject, fingerprint256, raw } = socket.getPeerCertificate();
  const name: unknown = subject?.CN;
  return {
    commonName: typeof name === "string" ? name : undefined,
    fingerprint: fingerprint256,
    raw: new Uint8Array(raw),
  };
}

/** Loaded where it is used: imported, it would slow down the start of every program. */
function nodeTls(): typeof import("node:tls") {
  return globalThis.process.getBuiltinModule("node:tls");
}
