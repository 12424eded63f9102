/**
 * Listening on a port, or on the next free one.
 *
 * @module
 */

/** Where a server listens, and with which certificate. */
export interface ListenOptions {
  /**
   * The address to listen on. `0.0.0.0` and `::` open the server to the whole network.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * The first port to try; 0 takes any free one.
   *
   * @default {0}
   */
  port?: number;
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
  cert?: string;
  /** The certificate's private key in PEM. */
  key?: string;
}

/**
 * Listens on the first free port. It tries by listening: to ask first whether a port is free would be a race.
 *
 * @throws {Deno.errors.AddrInUse} If every port that was tried is busy.
 * @throws {RangeError} If the port is not a whole number from 0 to 65535, or `portAttempts` not one from 1.
 * @throws {TypeError} If only one of `cert` and `key` is given.
 */
export function listen(options: ListenOptions = {}): Deno.TcpListener {
  const { hostname = "127.0.0.1", port = 0, portAttempts = 1 } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`Cannot listen on port ${port}: give a whole number from 0 to 65535`);
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw new TypeError("Cannot listen with TLS: give both the certificate and its key");
  }
  if (!Number.isInteger(portAttempts) || portAttempts < 1) {
    throw new RangeError(`Cannot try ${portAttempts} ports: give a whole number from 1`);
  }
  if (options.cert !== undefined && options.key !== undefined) checkIdentity(hostname, options);
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

/** Throws if the certificate and the key are not a pair: only `Deno.listenTls` checks that. */
function checkIdentity(hostname: string, options: ListenOptions): void {
  const { cert = "", key = "" } = options;
  try {
    Deno.listenTls({ hostname, port: 0, cert, key }).close();
  } catch (error) {
    throw cannotListen(hostname, error as Error);
  }
}

/** The system's error with what was tried, which it does not tell. */
function cannotListen(hostname: string, error: Error): Error {
  const SameError = error.constructor as ErrorConstructor;
  return new SameError(`Cannot listen on ${hostname}: ${error.message}`, { cause: error });
}
