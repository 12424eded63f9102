/**
 * The server that a client talks to: which one, and how to connect to it.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { domainToUnicode } from "node:url";
import { escapeControl } from "../../lib/base/escape.ts";
import { parseHost, parsePort } from "../../lib/base/endpoint.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { type Asker, askHost, askPort } from "../../lib/terminal/question.ts";
import { FlagError, type Values } from "./client_program.ts";
import { SOURCE, type Source } from "./source.ts";
import type { ServerFlags } from "./failure.ts";

/** A host that drops packets would delay an attempt for minutes. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The longest wait between attempts: a server that is back is found within this time. */
export const MAX_BACKOFF_MS = 5000;

/** The certificates of all authorities that a system trusts take a quarter of this. */
const MAX_CA_BYTES = 1024 * 1024;

/** The flags of every client. */
export const TARGET_FLAGS = {
  host: { value: "HOST", parse: parseHost, help: "the server's name or address (127.0.0.1)" },
  port: {
    value: "PORT",
    parse: (text: string): number => parsePort(text),
    help: "the server's port (9090)",
  },
  tls: { help: "encrypt the connection" },
  ca: { value: "FILE", parse: String, help: "also trust the certificates in FILE (PEM)" },
} as const;

/** What was given of them. */
export type TargetFlags = Values<typeof TARGET_FLAGS>;

/** Opens a connection; an attempt ends by itself after a while. */
export type Connect = (signal?: AbortSignal) => Promise<FramedConn>;

/**
 * Asks for what no flag tells; without a keyboard, it takes the defaults. A client that comes from a server talks to that,
 * unless a flag names another.
 *
 * @throws {FlagError} If `--ca` is given without `--tls`.
 */
export async function targetOf(
  flags: TargetFlags,
  asker?: Asker,
  source: Source | undefined = SOURCE,
): Promise<ServerFlags> {
  const from = flags.host === undefined && flags.port === undefined ? source : undefined;
  const { ca } = flags;
  const tls = flags.tls || from?.tls === true;
  if (ca !== undefined && !tls) throw new FlagError("--ca needs --tls");
  const more = { tls, ...(ca !== undefined && { ca }) };
  if (from) return { host: from.host, port: from.port, ...more };
  const host = flags.host ?? (asker ? await askHost(asker, { check: findHost }) : "127.0.0.1");
  const port = flags.port ?? (asker ? await askPort(asker) : 9090);
  return { host, port, ...more };
}

/**
 * Reads the certificates that `--ca` names, and gives what connects to the server.
 *
 * Connecting rejects with a TypeError if the host has no address and never had one.
 */
export async function connectorOf({ host, port, tls, ca }: ServerFlags): Promise<Connect> {
  const caCerts = ca === undefined ? {} : { caCerts: [await readCertificates(ca)] };
  let wasFound = false;
  return async (signal) => {
    const timeout = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    try {
      return await FramedConn.connect({
        hostname: host,
        port,
        ...(tls && { tls: caCerts }),
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
    } catch (error) {
      if (!wasFound && !signal?.aborted) await findHost(host);
      if (!tls || !(error instanceof Deno.errors.UnexpectedEof)) throw error;
      const advice = "if it does not speak TLS, omit --tls";
      throw new Error(`the server ended the TLS handshake: ${advice}`, { cause: error });
    } finally {
      wasFound = true;
    }
  };
}

async function readSmallFile(path: string): Promise<string> {
  const { isFile, size } = await Deno.stat(path);
  // A named pipe would be waited for, without an end.
  if (!isFile) throw new Error("it is not a file");
  if (size > MAX_CA_BYTES) throw new Error("it is too large");
  return await Deno.readTextFile(path);
}

/**
 * Reads certificates to trust.
 *
 * @throws {TypeError} If there is none in the file, or it must not be read.
 */
async function readCertificates(path: string): Promise<string> {
  const name = escapeControl(path);
  const pem = await readSmallFile(path).catch((error) => {
    const reason = error instanceof Deno.errors.NotCapable
      ? "put it into data, or start the client with deno run --allow-read=FILE"
      : error.message;
    throw new TypeError(`Cannot use --ca ${name}: ${reason}`, { cause: error });
  });
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new TypeError(`Cannot use --ca ${name}: there is no certificate in PEM in it`);
}

/**
 * Looks a host up.
 *
 * @throws {TypeError} If it has no address.
 */
async function findHost(host: string): Promise<void> {
  try {
    await lookup(host);
  } catch (error) {
    // Without the permission to look it up, connecting tells the reason.
    if ((error as Error & { code?: string }).code === "EPERM") return;
    throw new TypeError(`Cannot find the host "${domainToUnicode(host)}": check how it is spelled`);
  }
}
