/**
 * What a server is told at its start.
 *
 * @module
 */
import { parseHost } from "../../lib/base/endpoint.ts";
import { FLAGS } from "./flags.ts";

/** The servers, by the names of their tasks. */
export const SERVERS = ["echo", "identify", "auth", "threads", "chat"] as const;

/** The name of one of them. */
export type ServerName = typeof SERVERS[number];

/** Everything a server is told at its start. It is handed to the listening thread as it stands. */
export interface ServerConfig {
  /** The server's name: that of its task and of its log file. */
  name: ServerName;
  /** The address to listen on. */
  host: string;
  /** The first port to try; 0 takes any free one. */
  port: number;
  /** The folder of everything the server keeps. */
  dataDir: string;
  /** The log file. */
  logPath: string;
  /** Connections at once; 0 sets no limit. */
  maxConnections: number;
  /** Connections, and new accounts, at once from one address; 0 sets no limit. */
  maxPerAddress: number;
  /** A connection that is silent for so long is ended, in milliseconds; 0 waits for ever. */
  idleTimeoutMs: number;
  /** The TLS certificate chain in PEM. */
  cert?: string;
  /** The certificate's private key in PEM. */
  key?: string;
  /** Echo: bytes instead of frames. */
  raw: boolean;
  /** Threads: threads at once; 0 sets no limit. */
  maxThreads: number;
  /** Chat: so many messages of a user at once. */
  burst: number;
  /** Chat: so many messages of a user a second. */
  rate: number;
  /** Chat: what was said survives a power loss as well. */
  durable: boolean;
}

/**
 * Makes the configuration of a server from the values of its flags, which are checked already.
 *
 * @throws {Error} If the values do not fit together, or a file they name cannot be read.
 */
export function configOf(name: ServerName, values: Record<string, string>): ServerConfig {
  const { data = "", cert, key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error("Cannot speak TLS: give both --cert and --key");
  }
  return {
    name,
    host: parseHost(values["host"]!),
    port: Number(values["port"]),
    dataDir: data,
    logPath: values["log"] ?? `${data}/logs/${name}.log`,
    maxConnections: Number(values["max-connections"]),
    maxPerAddress: Number(values["max-per-address"]),
    idleTimeoutMs: Number(values["idle-timeout"]) * 1000,
    ...(cert !== undefined && { cert: readPem("cert", cert, CERTIFICATE) }),
    ...(key !== undefined && { key: readPem("key", key, PRIVATE_KEY) }),
    raw: "raw" in values,
    maxThreads: Number(values["max-threads"] ?? FLAGS["max-threads"]!.default),
    burst: Number(values["burst"] ?? FLAGS["burst"]!.default),
    rate: Number(values["rate"] ?? FLAGS["rate"]!.default),
    durable: "durable" in values,
  };
}

interface PemKind {
  begins: RegExp;
  name: string;
}

const CERTIFICATE = { begins: /-----BEGIN CERTIFICATE-----/, name: "certificate" };
// One that is encrypted begins otherwise, or goes on so: there is nobody to ask for its password.
const PRIVATE_KEY = {
  begins: /-----BEGIN (RSA |EC )?PRIVATE KEY-----(?!\s*Proc-Type:)/,
  name: "open private key",
};

function readPem(flag: string, path: string, { begins, name }: PemKind): string {
  let pem: string;
  try {
    pem = Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`Cannot use --${flag} ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (begins.test(pem)) return pem;
  throw new Error(`Cannot use --${flag} ${path}: there is no ${name} in PEM in it`);
}
