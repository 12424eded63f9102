/**
 * The configuration of a server, and the command line that gives it.
 *
 * @module
 */
import { isLoopback } from "../../lib/base/address.ts";
import { parseHost } from "../../lib/base/endpoint.ts";
import { nearest } from "../../lib/base/nearest.ts";
import { withoutSeparator } from "../../lib/terminal/task_args.ts";
import { type FlagValues, parseFlags, UsageError } from "./command_line.ts";
import { FLAGS, flagsOf } from "./flags.ts";

/** The servers, by the names of their tasks. */
export const SERVERS = ["echo", "identify", "auth", "threads", "chat"] as const;

/** The name of one of them. */
export type ServerName = typeof SERVERS[number];

/** The configuration of a server, from its flags and the answers to its questions. */
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
  /** How long a connection may be silent before it is ended, in milliseconds; 0 sets no limit. */
  idleTimeoutMs: number;
  /** The TLS certificate chain in PEM. */
  cert?: string;
  /** The certificate's private key in PEM. */
  key?: string;
  /** Whether browsers are answered on the same port. */
  web: boolean;
  /** Echo: bytes instead of frames. */
  raw: boolean;
  /** Threads: threads at once; 0 sets no limit. */
  maxThreads: number;
  /** Chat: messages of a user at once. */
  burst: number;
  /** Chat: messages of a user a second. */
  rate: number;
  /** Chat: messages kept; 0 keeps all. */
  keep: number;
  /** Chat: stored messages survive a power loss as well. */
  durable: boolean;
}

/** What the command line of a server asks for: help, or to run with a configuration; `given` names the flags given. */
export type ServerLine = { help: string } | { config: ServerConfig; given: Set<string> };

/**
 * Reads the name of a server and its flags.
 *
 * @throws {UsageError} If they cannot be understood, do not fit together, or name a file that cannot be read.
 */
export function parseServerLine(line: readonly string[]): ServerLine {
  const [first = "", ...args] = withoutSeparator(line);
  if (first === "--help" || first === "-h") {
    return { help: `Usage: deno task NAME [flags]\n\n${serverNames()}` };
  }
  const name = SERVERS.find((server) => server === first);
  if (name === undefined) throw new UsageError(noServer(first));
  const parsed = parseFlags(args, { usage: `deno task ${name} [flags]`, flags: flagsOf(name) });
  if ("help" in parsed) return parsed;
  return { config: configOf(name, parsed.values), given: parsed.given };
}

/** What to tell the operator of a server that takes passwords from other machines without TLS. */
export function plainTextWarning({ name, host, cert }: ServerConfig): string | undefined {
  if ((name !== "auth" && name !== "chat") || cert !== undefined || isLoopback(host)) {
    return undefined;
  }
  return "Passwords are sent unencrypted: give --cert and --key, made by deno task cert";
}

function configOf(name: ServerName, values: FlagValues): ServerConfig {
  const { data = "", cert, key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("Cannot speak TLS: give both --cert and --key");
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
    web: !("no-web" in values),
    raw: "raw" in values,
    maxThreads: Number(values["max-threads"] ?? FLAGS["max-threads"]!.default),
    burst: Number(values["burst"] ?? FLAGS["burst"]!.default),
    rate: Number(values["rate"] ?? FLAGS["rate"]!.default),
    keep: Number(values["keep"] ?? FLAGS["keep"]!.default),
    durable: "durable" in values,
  };
}

function noServer(name: string): string {
  if (name === "") return `Cannot start a server without its name: ${serverNames()}`;
  const near = nearest(name, SERVERS);
  const advice = near ? `did you mean ${near}?` : serverNames();
  return `There is no server ${JSON.stringify(name)}: ${advice}`;
}

function serverNames(): string {
  return `NAME is one of ${SERVERS.join(", ")}`;
}

interface PemKind {
  begins: RegExp;
  name: string;
}

const MAX_PEM_BYTES = 1024 * 1024;
const CERTIFICATE = { begins: /-----BEGIN CERTIFICATE-----/, name: "certificate" };
// An encrypted key begins or continues differently: its password cannot be asked for here.
const PRIVATE_KEY = {
  begins: /-----BEGIN (RSA |EC )?PRIVATE KEY-----(?!\s*Proc-Type:)/,
  name: "open private key",
};

function readPem(flag: string, path: string, { begins, name }: PemKind): string {
  let pem: string;
  try {
    const { isFile, size } = Deno.statSync(path);
    // A named pipe would be waited for, without an end.
    if (!isFile) throw new Error("it is not a file");
    if (size > MAX_PEM_BYTES) throw new Error("it is too large");
    pem = Deno.readTextFileSync(path);
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`Cannot use --${flag} ${path}: ${message}`, { cause: error });
  }
  if (begins.test(pem)) return pem;
  throw new UsageError(`Cannot use --${flag} ${path}: there is no ${name} in PEM in it`);
}
