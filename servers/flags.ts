/**
 * The servers' flags, as data: they are parsed, checked and explained from one table.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { nearest } from "../lib/nearest.ts";
import { parseHost, parsePort } from "../lib/endpoint.ts";

/** Everything a server is told at its start. It is handed to the listening thread as it stands. */
export interface ServerConfig {
  /** The server's name: that of its task and of its log file. */
  name: string;
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
  /** Connections at once from one address; 0 sets no limit. */
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

/** One flag of a server. */
export interface Flag {
  /** What stands after it in the help; a flag without it is a switch. */
  value?: string;
  /** What it does, for `--help`. */
  help: string;
  /** The value where it is not given. */
  default?: string;
  /** Another such value for some servers. */
  defaults?: Record<string, string>;
  /** The only server that has it; all servers have it otherwise. */
  only?: string;
  /** Refuses a bad value by a RangeError or TypeError that says what to give. */
  check?(text: string): unknown;
}

/** All flags by name. */
export const FLAGS: Record<string, Flag> = {
  "host": { value: "HOST", help: "address to listen on", default: "127.0.0.1", check: parseHost },
  "port": {
    value: "PORT",
    help: "port to listen on, or the next free one; 0 takes any",
    default: "9090",
    check: (text) => parsePort(text, { allowZero: true }),
  },
  "data": { value: "DIR", help: "folder of all that the server keeps", default: "data" },
  "log": { value: "FILE", help: "log file (DIR/logs/NAME.log)" },
  "max-connections": {
    value: "N",
    help: "connections at once, 0 = no limit",
    default: "10000",
    check: parseCount,
  },
  "max-per-address": {
    value: "N",
    help: "connections at once from one address, 0 = no limit",
    default: "0",
    defaults: { auth: "64", chat: "64" },
    check: parseCount,
  },
  "idle-timeout": {
    value: "S",
    help: "end a connection that is silent for S seconds, 0 = never",
    default: "0",
    check: parseCount,
  },
  "cert": { value: "FILE", help: "TLS certificate chain in PEM (needs --key)" },
  "key": { value: "FILE", help: "the certificate's private key in PEM" },
  "raw": { help: "echo bytes instead of frames (RFC 862), for nc", only: "echo" },
  "max-threads": {
    value: "N",
    help: "threads at once, about 8 MB each, 0 = no limit",
    default: "128",
    only: "threads",
    check: parseCount,
  },
  "burst": {
    value: "N",
    help: "messages of a user at once",
    default: "20",
    only: "chat",
    check: parsePositive,
  },
  "rate": {
    value: "N",
    help: "messages of a user a second",
    default: "5",
    only: "chat",
    check: parsePositive,
  },
  "durable": { help: "what was said survives a power loss too; slower", only: "chat" },
  "help": { help: "show this list" },
};

/** What the command line asks for: help, or to run with a configuration, of which some was given by flags. */
export type ParsedFlags = { help: string } | { config: ServerConfig; given: Set<string> };

/**
 * Reads a server's command line.
 *
 * @throws {Error} If it cannot be understood; the message is one line that says what to do.
 */
export function parseFlags(name: string, args: string[]): ParsedFlags {
  const flags = flagsOf(name);
  const parsed = parseArgs(args, {
    string: Object.keys(flags).filter((flag) => flags[flag]!.value),
    boolean: Object.keys(flags).filter((flag) => !flags[flag]!.value),
    unknown: (arg) => refuse(arg, Object.keys(flags)),
  });
  if (parsed.help) return { help: helpText(name, flags) };
  const given = new Set(
    Object.keys(flags).filter((flag) => parsed[flag] !== undefined && parsed[flag] !== false),
  );
  const values: Record<string, string> = {};
  for (const [flag, { default: fallback }] of Object.entries(flags)) {
    const value = valueOf(flag, parsed[flag], flags[flag]!) ?? fallback;
    if (value !== undefined) values[flag] = value;
  }
  return { config: configOf(name, values), given };
}

function flagsOf(name: string): Record<string, Flag> {
  const own = Object.entries(FLAGS).filter(([, { only }]) => only === undefined || only === name);
  return Object.fromEntries(
    own.map((
      [flag, { defaults, ...rest }],
    ) => [flag, { ...rest, ...(defaults?.[name] && { default: defaults[name] }) }]),
  );
}

function refuse(arg: string, flags: string[]): never {
  if (!arg.startsWith("-")) {
    throw new Error(`Cannot use ${JSON.stringify(arg)}: flags begin with --`);
  }
  const near = nearest(arg.replace(/^-+|=.*/g, ""), flags);
  throw new Error(`There is no flag ${arg}: ${near ? `did you mean --${near}?` : "see --help"}`);
}

function valueOf(
  flag: string,
  value: unknown,
  { check, value: placeholder }: Flag,
): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return "true";
  const text = Array.isArray(value) ? String(value.at(-1)) : String(value);
  if (text === "") throw new Error(`Cannot use --${flag}: give it as --${flag} ${placeholder}`);
  try {
    check?.(text);
  } catch (error) {
    throw new Error(`Cannot use --${flag} ${text}: ${(error as Error).message}`);
  }
  return text;
}

function configOf(name: string, values: Record<string, string>): ServerConfig {
  const { cert, key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error("Cannot speak TLS: give both --cert and --key");
  }
  return {
    name,
    host: parseHost(values["host"]!),
    port: Number(values["port"]),
    dataDir: values["data"]!,
    logPath: values["log"] ?? join(values["data"]!, "logs", `${name}.log`),
    maxConnections: Number(values["max-connections"]),
    maxPerAddress: Number(values["max-per-address"]),
    idleTimeoutMs: Number(values["idle-timeout"]) * 1000,
    ...(cert !== undefined && { cert: readPem("cert", cert) }),
    ...(key !== undefined && { key: readPem("key", key) }),
    raw: values["raw"] === "true",
    maxThreads: Number(values["max-threads"] ?? FLAGS["max-threads"]!.default),
    burst: Number(values["burst"] ?? FLAGS["burst"]!.default),
    rate: Number(values["rate"] ?? FLAGS["rate"]!.default),
    durable: values["durable"] === "true",
  };
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RangeError("give a whole number from 0 up");
}

function parsePositive(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new RangeError("give a whole number from 1 up");
}

function readPem(flag: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`Cannot use --${flag} ${path}: ${(error as Error).message}`);
  }
}

function helpText(name: string, flags: Record<string, Flag>): string {
  const rows = Object.entries(flags).map(([flag, { value = "", help, default: fallback }]) =>
    [
      `--${flag} ${value}`.trimEnd(),
      help + (fallback === undefined ? "" : ` (${fallback})`),
    ] as const
  );
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage: deno task ${name} [flags]`,
    "",
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join("\n");
}
