/**
 * A connection to a server, in the clear or over TLS.
 *
 * @module
 */

import { checkObject, checkSignal, checkStrings } from "../base/checks.ts";
import { unlessAborted } from "../base/within.ts";
import { closeQuietly } from "./conn_streams.ts";

/** The authorities that a client trusts over TLS, and its own certificate. All in PEM. */
export interface DialTlsOptions {
  /** Certificates that are trusted beside those that the system trusts. */
  caCerts?: string[] | undefined;
  /**
   * The client's own certificate chain, with `key`, for a server that asks for one (mutual TLS). A server that refuses it
   * closes the connection: with TLS 1.3, the first `receive` is the first to show that, by `null` or an error.
   *
   * With a certificate, Deno sets neither `keepAlive` nor TCP_NODELAY: of two messages sent one soon after the other, the
   * second may come 40 ms late.
   */
  cert?: string | undefined;
  /** The private key of `cert`. */
  key?: string | undefined;
}

/** Which server to connect to, and how. */
export interface DialOptions {
  /**
   * The server's name or address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /** The server's port. */
  port: number;
  /** Gives up connecting. It does nothing once the connection stands. */
  signal?: AbortSignal | undefined;
  /**
   * Lets the operating system probe a silent peer (TCP keep-alive), so that one that is gone is noticed at last.
   *
   * @default {true}
   */
  keepAlive?: boolean;
  /** Speaks TLS when given; `{}` trusts the certificates that the system trusts. */
  tls?: DialTlsOptions | undefined;
}

/**
 * Checks what names a server.
 *
 * @throws {RangeError} If the port is not a whole number from 1 to 65535.
 * @throws {TypeError} If another of the options has a wrong type, or the name is empty.
 */
export function checkDialOptions({ hostname, port, signal, tls }: DialOptions): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RangeError(`Cannot connect to port ${port}: give a whole number from 1 to 65535`);
  }
  checkStrings("connect", { hostname });
  checkSignal("connect", signal);
  if (tls !== undefined) checkObject("connect", "tls", tls);
}

/** Connects; with TLS, the handshake is done too. Rejects with the signal's reason if it aborts before that. */
export async function dial(options: DialOptions): Promise<Deno.TcpConn | Deno.TlsConn> {
  const { hostname = "127.0.0.1", port, signal, tls, keepAlive } = options;
  signal?.throwIfAborted();
  if (tls?.cert !== undefined || tls?.key !== undefined) return await dialWithCertificate(options);
  const conn = await Deno.connect({ hostname, port, ...(signal && { signal }) });
  // A TlsConn has no such option: it must be set before.
  setSocketOptions(conn, keepAlive);
  if (!tls) return conn;
  const secure = await startTls(conn, { hostname, caCerts: tls.caCerts ?? [] });
  await shakeHands(secure, signal);
  return secure;
}

/** `Deno.startTls` takes no certificate of one's own, and `Deno.connectTls` takes no signal. */
async function dialWithCertificate(options: DialOptions): Promise<Deno.TlsConn> {
  const { hostname = "127.0.0.1", port, signal, tls = {} } = options;
  const { caCerts = [], cert, key } = tls;
  // Deno rejects one without the other.
  const connecting = Deno.connectTls({ hostname, port, caCerts, cert: cert!, key: key! });
  try {
    const conn = await unlessAborted(connecting, signal);
    await shakeHands(conn, signal);
    return conn;
  } catch (error) {
    if (signal?.aborted) connecting.then(closeQuietly, () => {/* There is nothing to close. */});
    throw error;
  }
}

/**
 * Sends without delay: frames leave in batches already, so Nagle's algorithm would only add a wait. Keeps the connection
 * alive, if wanted. What is no socket of TCP is left as it is.
 */
export function setSocketOptions(conn: object, keepAlive = true): void {
  if (!("setNoDelay" in conn)) return;
  try {
    (conn as Deno.TcpConn).setNoDelay(true);
    if (keepAlive) (conn as Deno.TcpConn).setKeepAlive(true);
  } catch {
    // macOS refuses this once the peer is gone, which the first read or write will show.
  }
}

async function startTls(conn: Deno.TcpConn, options: Deno.StartTlsOptions): Promise<Deno.TlsConn> {
  try {
    return await Deno.startTls(conn, options);
  } catch (error) {
    conn[Symbol.dispose](); // It is still the caller's when the host has no name for a certificate.
    throw error;
  }
}

/** Closes the connection if it rejects, and not otherwise. */
async function shakeHands(conn: Deno.TlsConn, signal?: AbortSignal): Promise<void> {
  let open = true;
  const close = () => {
    if (open) conn.close();
    open = false;
  };
  signal?.addEventListener("abort", close);
  try {
    signal?.throwIfAborted();
    await conn.handshake();
    // It may have aborted after the handshake, and before this went on.
    signal?.throwIfAborted();
  } catch (error) {
    close();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", close);
  }
}
