/**
 * Listening on a port, or on the next free one.
 *
 * @module
 */
import { checkLimits, checkObject, checkStrings } from "../base/checks.ts";
import type { Listener } from "./accept_loop.ts";

/** Where a server listens, and with which certificate. */
export interface ListenOptions {
  /**
   * Where connections come from, in place of a port: the server owns it, and closes it. After a `pause`, such a server
   * cannot resume. With `cert` and `key`, TLS is spoken over its connections; a listener of `Deno.listenTls` is refused,
   * because its connections cannot be closed before the handshake has ended.
   */
  listener?: Listener | undefined;
  /**
   * A Unix socket to listen on, in place of a port: a path that does not exist yet, of at most 107 bytes on Linux and 103
   * on macOS. Only the user of the server may connect (mode 0600). The file of this path is removed when the server stops
   * listening, also if another server has replaced it. A client connects with
   * `new FramedConn(await Deno.connect({ transport: "unix", path }))`.
   */
  path?: string | undefined;
  /**
   * The address to listen on. `0.0.0.0` and `::` open the server to the whole network.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * The first port to try; 0 takes any free one.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * How many ports are tried, upwards from the first, while they are busy. 1 insists on the port.
   *
   * @default {1}
   */
  portAttempts?: number;
  /**
   * How many clients the operating system lets wait to be accepted.
   *
   * @default {4096}
   */
  tcpBacklog?: number;
  /** The certificate chain in PEM; with `key`, the server speaks TLS. */
  cert?: string | undefined;
  /** The certificate's private key in PEM. */
  key?: string | undefined;
  /**
   * Certificates of authorities in PEM: each client must show a certificate for clients that one of them has signed, or
   * one of them itself, that has not expired (mutual TLS). Others end as `protocol` before the handler is called, and
   * find the connection closed. There is no list of revoked certificates.
   */
  ca?: string | undefined;
}

/**
 * Listens where the options say.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy, or the file of the Unix socket exists.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535, or `portAttempts` not one from 1.
 * @throws {TypeError} If only one of `cert` and `key` is given, `ca` without them, `listener` as well as `path`, or a listener of `Deno.listenTls`.
 */
export function listenerOf(options: ListenOptions): Listener {
  const { listener, path } = options;
  checkStrings("listen", { path, hostname: options.hostname });
  if (listener && path !== undefined) {
    throw new TypeError("Cannot listen on a listener and a path: give one of them");
  }
  if (!listener && path === undefined) return listen(options);
  checkIdentity(options);
  if (listener) checkListener(listener);
  return listener ?? listenOnPath(path!);
}

/** Throws for what is no listener, and for one of `Deno.listenTls`, of which Deno exports no class. */
function checkListener(listener: Listener): void {
  checkObject("listen", "listener", listener, ["accept", "close"]);
  checkObject("listen", "listener.addr", listener.addr);
  if (listener.constructor?.name !== "TlsListener") return;
  const advice = "Give a listener of Deno.listen, and the options cert and key";
  throw new TypeError(`Cannot listen on a listener of Deno.listenTls. ${advice}`);
}

/**
 * Listens on the first free port. It tries by listening: to ask first whether a port is free would be a race.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535, or `portAttempts` not one from 1.
 */
export function listen(options: ListenOptions = {}): Deno.TcpListener {
  const { hostname = "127.0.0.1", port = 0, portAttempts = 1 } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`Cannot listen on port ${port}: give a whole number from 0 to 65535`);
  }
  if (!Number.isInteger(portAttempts) || portAttempts < 1) {
    throw new RangeError(`Cannot try ${portAttempts} ports: give a whole number from 1`);
  }
  checkLimits("listen", { tcpBacklog: options.tcpBacklog }, 1);
  checkIdentity(options);
  const last = port === 0 ? 0 : Math.min(65535, port + portAttempts - 1);
  for (let candidate = port; candidate <= last; candidate++) {
    try {
      return Deno.listen({ hostname, port: candidate, tcpBacklog: options.tcpBacklog ?? 4096 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw cannotListen(hostname, error as Error);
    }
  }
  const ports = last === port ? `port ${port} is` : `ports ${port} to ${last} are all`;
  throw new Deno.errors.AddrInUse(`Cannot listen on ${hostname}: ${ports} busy`);
}

/** Listens on a Unix socket for this user only. */
function listenOnPath(path: string): Deno.UnixListener {
  let listener: Deno.UnixListener | undefined;
  if (path.includes("\0")) throw new TypeError("Cannot listen: path has a NUL character");
  try {
    listener = Deno.listen({ transport: "unix", path });
    // Until here, the mode is that of the umask: as a rule, only this user may write, and so connect.
    Deno.chmodSync(path, 0o600);
    return listener;
  } catch (error) {
    listener?.close();
    throw cannotListen(path, explained(error as Error));
  }
}

/** What to do about the two errors that the operating system explains badly. */
function explained(error: Error): Error {
  if (error instanceof Deno.errors.AddrInUse) {
    return new Deno.errors.AddrInUse("the file exists. If no server listens on it, delete it");
  }
  if (!(error instanceof TypeError)) return error;
  return new TypeError("the path is too long for a Unix socket. Give a shorter one");
}

/** Throws if the certificate and the key are not a pair, which only `Deno.listenTls` checks, or an authority is none. */
function checkIdentity({ hostname = "127.0.0.1", cert, key, ca }: ListenOptions): void {
  if (cert === undefined && key === undefined && ca === undefined) return;
  checkStrings("listen with TLS", { cert, key, ca });
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot listen with TLS: give both the certificate and its key");
  }
  try {
    Deno.listenTls({ hostname, port: 0, cert, key }).close();
    if (ca !== undefined) checkAuthorities(ca);
  } catch (error) {
    throw cannotListen(hostname, error as Error);
  }
}

/** Throws if there is no certificate, or one that cannot be read: `node:tls` would then refuse every client. */
function checkAuthorities(ca: string): void {
  const { X509Certificate } = globalThis.process.getBuiltinModule("node:crypto");
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  if (!blocks) throw new TypeError("ca has no certificate in PEM");
  for (const block of blocks) new X509Certificate(block);
}

/** The system's error with what was tried, which it does not tell. */
function cannotListen(where: string, error: Error): Error {
  const SameError = error.constructor as ErrorConstructor;
  return new SameError(`Cannot listen on ${where}: ${error.message}`, { cause: error });
}
