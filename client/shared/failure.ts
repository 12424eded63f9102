/**
 * Explains to a user why a connection failed, and which client fits the server.
 *
 * @module
 */

import { domainToUnicode } from "node:url";
import { joinHostPort } from "../../lib/base/endpoint.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import { messageOf } from "../../lib/base/thrown.ts";
import type { ReconnectWait } from "../../lib/conn/reconnect.ts";
import { SOURCE } from "./source.ts";
import { FrameTooLargeError } from "../../lib/frame/frame.ts";

/** Which server a client talks to, and over what. */
export interface ServerFlags {
  /** Its name or address. */
  host: string;
  /** Its port. */
  port: number;
  /** Whether the connection is encrypted. */
  tls: boolean;
  /** A file with certificates to trust besides the system's. */
  ca?: string;
}

/** A server's address as a person writes it. */
export function addressOf({ host, port }: Pick<ServerFlags, "host" | "port">): string {
  return joinHostPort(host.includes("xn--") ? domainToUnicode(host) : host, port);
}

/** Why there is no connection. */
export interface Failure {
  /** What happened, and what to do; escaped, without a final period. */
  reason: string;
  /** Whether another attempt cannot succeed, as long as the server was never reached before. */
  isFinal: boolean;
}

/** The server answers, but another client fits it. */
export class WrongClientError extends Error {
  /** The name that shows in reports. */
  override readonly name = "WrongClientError";

  /**
   * Says what kind of server it is, and which command talks to it.
   *
   * @param speaks What the server takes and sends: the messages of chat and authentication servers, or lines as echo
   * and identification servers do.
   * @param server Where it is, for the command that talks to it.
   */
  constructor(speaks: "chat" | "lines", server: ServerFlags) {
    const kind = speaks === "chat"
      ? "a chat or authentication server"
      : "not a chat or authentication server, but one for lines of text";
    super(`This is ${kind}: use ${clientCommand(speaks, server)}`);
  }
}

/** The command that runs a client: a task in a checkout, otherwise by URL. */
export function clientCommand(speaks: "chat" | "lines", server?: ServerFlags): string {
  const { href, protocol } = new URL(
    speaks === "chat" ? "../chat.ts" : "../main.ts",
    import.meta.url,
  );
  const task = speaks === "chat" ? "chat:client" : "client";
  const url = SOURCE ? SOURCE.url + (speaks === "chat" ? "chat" : "client") : href;
  const command = protocol === "file:" ? `deno task ${task}` : `deno run --allow-net ${url}`;
  if (!server) return command;
  const { host, port, tls, ca } = server;
  const flags = [command, "--host", host, "--port", port, ...(tls ? ["--tls"] : [])];
  return flags.concat(ca === undefined ? [] : ["--ca", ca]).join(" ");
}

/** Explains what `connect`, `receive` or `send` threw. */
export function explainFailure(error: unknown, { tls, ca }: Partial<ServerFlags> = {}): Failure {
  if (error instanceof FrameTooLargeError) return explainLength(error);
  const message = messageOf(error);
  const problem = tls ? tlsProblem(message, ca) : undefined;
  if (problem !== undefined) return { reason: escapeControl(problem), isFinal: true };
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return { reason: "the server does not answer", isFinal: false };
  }
  return {
    reason: escapeControl(message.replace(/ \(os error \d+\)$/, "")),
    isFinal: isFinal(error),
  };
}

function isFinal(error: unknown): boolean {
  const { NotCapable, InvalidData } = Deno.errors;
  return [WrongClientError, NotCapable, InvalidData, RangeError, TypeError, URIError].some((kind) =>
    error instanceof kind
  );
}

/** No message is so long: these are the first four bytes of another protocol, read as a length. */
const MIN_FOREIGN_LENGTH = 2 ** 24;

const FOREIGN: [RegExp, string][] = [
  // deno-lint-ignore no-control-regex -- the type and the version of a TLS record
  [/^\x15\x03/, "the server speaks TLS: add --tls"],
  [/^(?:HTTP|<[!a-z])/i, "this is an HTTP server: open it in a browser, or check the port"],
  [/^SSH-/, "this is an SSH server: check the port"],
  [/^[ -~\r\n\t]{4}/, "the server speaks a text protocol, not frames: check the port"],
];

function explainLength({ bodyBytes, message }: FrameTooLargeError): Failure {
  if (bodyBytes < MIN_FOREIGN_LENGTH) return { reason: message, isFinal: false };
  const first = String.fromCharCode(...[24, 16, 8, 0].map((bits) => bodyBytes >>> bits & 0xff));
  const [, reason = "the server does not speak this protocol: check the port"] =
    FOREIGN.find(([start]) => start.test(first)) ?? [];
  return { reason, isFinal: true };
}

/** Explains what Deno, or rustls in it, says of a TLS handshake. */
function tlsProblem(message: string, ca?: string): string | undefined {
  if (message.includes("InvalidContentType")) return "the server does not speak TLS: omit --tls";
  if (message.includes("UnknownIssuer")) {
    return ca === undefined
      ? "wrong certificate authority: pass the one that signed the server's certificate with --ca FILE"
      : `wrong certificate authority: ${ca} did not sign the server's certificate`;
  }
  const name = /not valid for name "([^"]*)"/.exec(message)?.[1];
  if (name !== undefined) {
    const names = message.matchAll(/(?:DnsName|IpAddress)\("?([^")]+)"?\)/g);
    const others = Array.from(names, ([, other]) => other).join(" or ") || "another name";
    return `the server's certificate is for ${others}, not for ${name}: pass that name with --host`;
  }
  if (/expired/i.test(message)) {
    return "the server's certificate has expired, or the clock is wrong";
  }
  const other = /invalid peer certificate: (.*)|received fatal alert: (.*)/s.exec(message);
  return other ? `the TLS handshake failed: ${other[1] ?? other[2]}` : undefined;
}

/** Says that there is no connection, and why. */
export function noConnection(
  address: string,
  error: unknown,
  flags?: Partial<ServerFlags>,
): string {
  return `no connection to ${address}: ${explainFailure(error, flags).reason}`;
}

/** Says what the client waits for before the next attempt to connect. */
export function waitMessage(
  address: string,
  { delayMs, error }: ReconnectWait,
  flags?: Partial<ServerFlags>,
): string {
  const seconds = (delayMs / 1000).toFixed(1);
  if (error === undefined) return `connecting again in ${seconds} s`;
  return `${noConnection(address, error, flags)}; trying again in ${seconds} s`;
}
