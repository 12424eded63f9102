/**
 * A connection to a server, in the clear or over TLS.
 *
 * @module
 */

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
  /** Speaks TLS when given; `{}` trusts the certificates that the system trusts. */
  tls?: Pick<Deno.ConnectTlsOptions, "caCerts">;
}

/** Connects; with TLS, the hands are shaken too. Rejects with the signal's reason if it aborts before that. */
export async function dial(options: DialOptions): Promise<Deno.TcpConn | Deno.TlsConn> {
  const { hostname = "127.0.0.1", port, signal, tls } = options;
  signal?.throwIfAborted();
  const conn = await Deno.connect({ hostname, port, ...(signal && { signal }) });
  if (!tls) return conn;
  const secure = await startTls(conn, { hostname, ...tls });
  await shakeHands(secure, signal);
  return secure;
}

async function startTls(conn: Deno.TcpConn, options: Deno.StartTlsOptions): Promise<Deno.TlsConn> {
  try {
    return await Deno.startTls(conn, options);
  } catch (error) {
    conn[Symbol.dispose](); // It is still the caller's when the host has no name for a certificate.
    throw error;
  }
}

async function shakeHands(conn: Deno.TlsConn, signal?: AbortSignal): Promise<void> {
  let open = true;
  const giveUp = () => {
    if (open) conn.close();
    open = false;
  };
  signal?.addEventListener("abort", giveUp);
  try {
    signal?.throwIfAborted();
    await conn.handshake();
  } catch (error) {
    giveUp();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}
