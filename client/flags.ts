/**
 * The flags of the line client.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parseHost, parsePort } from "../lib/endpoint.ts";

/** What the user gave; what is missing is asked for, or has a default. */
export interface ClientFlags {
  /** The server's name or address. */
  host?: string;
  /** The server's port. */
  port?: number;
  /** Whether to speak TLS. */
  tls: boolean;
  /** A file of certificates to trust, in PEM. */
  ca?: string;
  /** Whether to explain instead. */
  help: boolean;
}

/** What `--help` prints. */
export const USAGE = `Sends each line you type to a server and shows what it answers; exit ends it.

Usage: client/main.ts [--host HOST] [--port PORT] [--tls [--ca FILE]]

  --host HOST  the server's name or address (127.0.0.1)
  --port PORT  the server's port (9090)
  --tls        encrypt the connection
  --ca FILE    trust the certificates in FILE as well, in PEM; needs --allow-read=FILE
  --help       show this

Answers go to standard output, messages of the client itself to standard error. Without a terminal
nothing is asked: printf 'a\\nb\\n' | client/main.ts prints the answers and ends. The exit code is 1
when a line got no answer, 2 when the flags are wrong, and 130 after Ctrl-C.`;

/** A flag is unknown, or its value cannot be right. */
export class FlagError extends TypeError {
  /** The name that shows in reports. */
  override readonly name = "FlagError";
}

/**
 * Reads the flags.
 *
 * @throws {FlagError} If one is unknown, or has no value that can be right.
 */
export function parseFlags(args: string[]): ClientFlags {
  try {
    const { host, port, ca, tls, help } = split(args);
    if (ca !== undefined && !tls) throw new TypeError("--ca is of use with --tls only");
    return {
      ...(host !== undefined && { host: parseHost(host) }),
      ...(port !== undefined && { port: parsePort(port) }),
      ...(ca !== undefined && { ca }),
      tls,
      help,
    };
  } catch (error) {
    throw new FlagError((error as Error).message, { cause: error });
  }
}

function split(args: string[]) {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean", default: false } as const;
  const options = {
    host: string,
    port: string,
    ca: string,
    tls: boolean,
    help: { ...boolean, short: "h" },
  };
  return parseArgs({ args, options }).values;
}
