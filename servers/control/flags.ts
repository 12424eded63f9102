/**
 * The servers' flags, as data: they are parsed, checked and explained from one table.
 *
 * @module
 */
import { parseHost, parsePort } from "../../lib/base/endpoint.ts";
import { type Flag, type Flags, wholeNumber } from "./command_line.ts";

/** One flag of the servers. */
export interface ServerFlag extends Flag {
  /** Another default for some servers. */
  defaults?: Record<string, string>;
  /** The only server that has it; all servers have it otherwise. */
  only?: string;
}

/** All flags by name. */
export const FLAGS: Record<string, ServerFlag> = {
  "host": {
    value: "HOST",
    help: "address to listen on; 0.0.0.0 is all of them",
    default: "127.0.0.1",
    check: parseHost,
  },
  "port": {
    value: "PORT",
    help: "port, or the next free one; 0 takes any free one",
    default: "9090",
    check: (text) => parsePort(text, { allowZero: true }),
  },
  "data": { value: "DIR", help: "folder of all that the server keeps", default: "data" },
  "log": { value: "FILE", help: "log file (DIR/logs/NAME.log)", check: refuseKeptFile },
  "max-connections": {
    value: "N",
    help: "connections at once, 0 = no limit",
    default: "10000",
    check: wholeNumber(0, 1_000_000),
  },
  "max-per-address": {
    value: "N",
    help: "connections at once from one address, 0 = no limit",
    // New accounts count too. A quarter of the places, which a class in one room does not reach.
    default: "2500",
    defaults: { auth: "64", chat: "64", threads: "32" },
    check: wholeNumber(0, 1_000_000),
  },
  "idle-timeout": {
    value: "S",
    help: "end a connection silent for S seconds, 0 = never",
    default: "600",
    // Chat clients ping every 30 s.
    defaults: { chat: "90" },
    // A timer counts milliseconds in 31 bits.
    check: wholeNumber(0, 1_000_000),
  },
  "cert": { value: "FILE", help: "TLS certificate chain in PEM (needs --key)" },
  "key": { value: "FILE", help: "the certificate's private key in PEM (needs --cert)" },
  "no-web": { help: "no page for browsers on the port" },
  "raw": { help: "echo bytes instead of frames (RFC 862), for nc", only: "echo" },
  "max-threads": {
    value: "N",
    help: "threads at once, about 8 MB each, 0 = no limit",
    default: "128",
    only: "threads",
    check: wholeNumber(0, 10_000),
  },
  "burst": {
    value: "N",
    help: "messages of a user at once",
    default: "20",
    only: "chat",
    check: wholeNumber(1, 1_000_000),
  },
  "rate": {
    value: "N",
    help: "messages of a user a second",
    default: "5",
    only: "chat",
    check: wholeNumber(1, 1_000_000),
  },
  "keep": {
    value: "N",
    help: "messages kept, the oldest go; 0 = all",
    default: "1000000",
    only: "chat",
    check: wholeNumber(0, 999_999_999),
  },
  "durable": { help: "what was said survives a power loss too; slower", only: "chat" },
};

/** The flags of one server, with its own defaults. */
export function flagsOf(server: string): Flags {
  const own: Flags = {};
  for (const [name, { defaults, ...flag }] of Object.entries(FLAGS)) {
    if (flag.only !== undefined && flag.only !== server) continue;
    const fallback = defaults?.[server];
    own[name] = fallback === undefined ? flag : { ...flag, default: fallback };
  }
  return own;
}

/** A log in the file of an account database or of a key would destroy it, and clearing the log all the more. */
function refuseKeptFile(path: string): void {
  if (!/\.(db|json|pem)(-wal|-shm|-journal|\.lock)?$/i.test(path)) return;
  throw new RangeError("give a file of its own, such as chat.log");
}
