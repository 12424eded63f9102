/**
 * Where a client comes from that a server of this project has served.
 *
 * @module
 */

/** A server that serves its clients. */
export interface Source {
  /** The name or address by which it was reached. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Whether it was reached over TLS. */
  readonly tls: boolean;
  /** The URL of its clients, with a slash at its end. */
  readonly url: string;
}

// A server gives each version of its clients a path of its own.
const SERVED = /^\/v\/[0-9a-f]+\/client\//;

/** The server that a module at `url` comes from; `undefined` if it is a file, or of another site. */
export function sourceOf(url: string): Source | undefined {
  const { protocol, hostname, port, pathname, origin } = new URL(url);
  if (!/^https?:$/.test(protocol) || !SERVED.test(pathname)) return undefined;
  const tls = protocol === "https:";
  const host = hostname.replace(/^\[|\]$/g, "");
  return { host, port: port === "" ? (tls ? 443 : 80) : Number(port), tls, url: `${origin}/` };
}

/** The server that this program comes from. */
export const SOURCE: Source | undefined = sourceOf(import.meta.url);
