/**
 * The flags of the line client, which the chat client has as well.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseHost, parsePort } from "../../lib/base/endpoint.ts";
import { noFlag } from "../../lib/base/nearest.ts";
import { withoutSeparator } from "../../lib/base/task_args.ts";
import type { TargetFlags } from "./target.ts";

/** What the user gave; what is missing is asked for, or has a default. */
export interface ClientFlags extends TargetFlags {
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
nothing is asked: printf 'a\\nb\\n' | client/main.ts prints the answers and ends; a server that was
never there is waited for 5 s. The exit code is 1 when a line got no answer or the operator ended the
connection, 2 when the flags are wrong, and 130 after Ctrl-C.`;

/** A flag is unknown, or its value cannot be right. */
export class FlagError extends TypeError {
  /** The name that shows in reports. */
  override readonly name = "FlagError";
}

/** A flag with a value, as `parseArgs` of `node:util` wants to know it. */
export const WITH_VALUE = { type: "string" } as const;

/** A flag that is given or not. */
export const SWITCH = { type: "boolean", default: false } as const;

/** The flags of every client. */
export const OPTIONS = {
  host: WITH_VALUE,
  port: WITH_VALUE,
  ca: WITH_VALUE,
  tls: SWITCH,
  help: { ...SWITCH, short: "h" },
} as const;

/**
 * Reads the flags.
 *
 * @throws {FlagError} If one is unknown, or has no value that can be right.
 */
export function parseFlags(args: string[]): ClientFlags {
  return orFlagError(() => checked(readFlags(args, OPTIONS)));
}

/** Which flags there are, as `parseArgs` of `node:util` wants to know it. */
export type FlagOptions = NonNullable<ParseArgsConfig["options"]>;

/** What was typed for each of them. */
export type FlagValues<T extends FlagOptions> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T }>
>["values"];

/**
 * Reads flags as they were typed. What follows a flag with a value is the value, unless it begins with `--`.
 *
 * @throws {TypeError} If one is unknown, or has a value too many or too few.
 */
export function readFlags<T extends FlagOptions>(args: string[], options: T): FlagValues<T> {
  const given = parseArgs({
    args: withoutSeparator(args),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const plain = given.tokens.map((token) => plainFlag(token as Token, options));
  return parseArgs({ args: plain, options }).values;
}

type Token =
  | { kind: "positional"; value: string }
  | { kind: "option"; name: string; rawName: string; value?: string; inlineValue?: boolean };

/** One flag, with its value behind a `=`. */
function plainFlag(token: Token, options: FlagOptions): string {
  const names = Object.keys(options);
  if (token.kind === "positional") throw new TypeError(noFlag(token.value, names));
  const { name, rawName, value, inlineValue } = token;
  if (!names.includes(name)) throw new TypeError(noFlag(rawName, names));
  if (options[name]!.type === "boolean") {
    if (value === undefined) return `--${name}`;
    throw new TypeError(`Cannot give --${name} a value: it is a switch`);
  }
  const isMissing = value === undefined || value === "" || !inlineValue && value.startsWith("--");
  if (isMissing) throw new TypeError(`Cannot use --${name} without a value: see --help`);
  return `--${name}=${value}`;
}

/** The values of {@linkcode OPTIONS} as they were typed. */
export type Typed = Omit<ClientFlags, "port"> & { port?: string };

/**
 * Checks what was typed.
 *
 * @throws {TypeError | RangeError} If a value cannot be right.
 */
export function checked({ host, port, ca, tls, help }: Typed): ClientFlags {
  if (ca !== undefined && !tls) throw new TypeError("--ca is of use with --tls only");
  return {
    ...(host !== undefined && { host: parseHost(host) }),
    ...(port !== undefined && { port: parsePort(port) }),
    ...(ca !== undefined && { ca }),
    tls,
    help,
  };
}

/**
 * Reads what the user gave.
 *
 * @throws {FlagError} If that throws, with the same message.
 */
export function orFlagError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new FlagError((error as Error).message, { cause: error });
  }
}
