/**
 * The server that a client talks to: where it is, and how to reach it.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { domainToUnicode } from "node:url";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { type Asker, askHost, askPort } from "../../lib/terminal/question.ts";

/** An address that swallows what is sent to it would hold an attempt up for minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A person waits: a server that is back is found within so many milliseconds. */
export const MAX_BACKOFF_MS = 5000;

/** Where a server is. */
export interface Target {
  /** Its name or address. */
  host: string;
  /** Its port. */
  port: number;
}

/** What the flags say of a server. */
export interface TargetFlags extends Partial<Target> {
  /** Whether to speak TLS. */
  tls: boolean;
  /** A file with the certificates to trust besides the system's. */
  ca?: string;
}

/** Opens a connection to a server; an attempt gives up by itself after a while. */
export type Connector = (target: Target, signal?: AbortSignal) => Promise<FramedConn>;

/** Asks a person for what no flag says; where there is nobody, it takes the defaults. */
export async function targetOf(flags: TargetFlags, asker?: Asker): Promise<Target> {
  const host = flags.host ?? (asker ? await askHost(asker, { check: findHost }) : "127.0.0.1");
  const port = flags.port ?? (asker ? await askPort(asker) : 9090);
  return { host, port };
}

/**
 * Reads the certificates that the flags name, and gives what connects to a target. A host that cannot be found is no
 * failure that waiting mends, unless it was found before.
 */
export async function connectorOf({ tls, ca }: TargetFlags): Promise<Connector> {
  const caCerts = ca === undefined ? {} : { caCerts: [await Deno.readTextFile(ca)] };
  let found: string | undefined;
  return async ({ host, port }, signal) => {
    const options = {
      hostname: host,
      port,
      ...(tls && { tls: caCerts }),
      signal: withTimeout(signal),
    };
    try {
      return await FramedConn.connect(options);
    } catch (error) {
      if (host !== found && !signal?.aborted) await findHost(host);
      throw error;
    } finally {
      found = host;
    }
  };
}

/**
 * Looks a host up.
 *
 * @throws {TypeError} If its name leads to no address.
 */
async function findHost(host: string): Promise<void> {
  try {
    await lookup(host);
  } catch (error) {
    // Without the permission to find it, connecting tells so.
    if ((error as Error & { code?: string }).code === "EPERM") return;
    throw new TypeError(`Cannot find the host "${domainToUnicode(host)}": check how it is spelled`);
  }
}

function withTimeout(signal?: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(CONNECT_TIMEOUT_MS), ...(signal ? [signal] : [])]);
}
