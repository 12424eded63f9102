/**
 * Reads hosts and ports that people type, in answers and in flags.
 *
 * @module
 */

import { escapeControl } from "./escape.ts";

/** Options for {@linkcode parsePort}. */
export interface ParsePortOptions {
  /**
   * Whether 0 is a port too: it stands for any free one.
   *
   * @default {false}
   */
  allowZero?: boolean;
}

/**
 * Reads a port from decimal digits; spaces around them do not matter.
 *
 * @throws {RangeError} If it is anything but a whole number from 1 (or 0, if allowed) to 65535.
 */
export function parsePort(text: string, { allowZero = false }: ParsePortOptions = {}): number {
  const digits = text.trim(), least = allowZero ? 0 : 1;
  const port = /^(0|[1-9][0-9]{0,4})$/.test(digits) ? Number(digits) : NaN;
  if (port >= least && port <= 65535) return port;
  throw new RangeError(
    `Cannot use ${shown(digits, "port")}: give a whole number from ${least} to 65535`,
  );
}

/**
 * Reads a host: an IPv4 address, an IPv6 address with or without brackets, or a name as in RFC 1123; an
 * international name becomes its ASCII form. Spaces around it do not matter.
 *
 * @returns The host in lower case (but for the zone of an IPv6 address) and without brackets, as `Deno.connect` and
 * `Deno.listen` take it. Whether there is such a host shows only when it is used.
 * @throws {TypeError} If there cannot be such a host.
 */
export function parseHost(text: string): string {
  const host = text.trim();
  if (isIPv4(host)) return host;
  const address = /^\[.*\]$/.test(host) ? host.slice(1, -1) : host;
  if (isIPv6(address)) return address.replace(/^[^%]*/, (digits) => digits.toLowerCase());
  const name = asciiName(host);
  if (name !== null) return name;
  throw new TypeError(`Cannot use ${shown(host, "host")}: ${adviceOn(host)}`);
}

/** Writes a host and a port as one: an IPv6 address is put into brackets. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

// As node:net has them, which takes longer to load than a server to start.
const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

const IPV6_AND_ZONE = /^([0-9a-f:.]+)(?:%[\w.-]+)?$/i;

function isIPv6(text: string): boolean {
  const address = IPV6_AND_ZONE.exec(text)?.[1];
  return address !== undefined && URL.canParse(`http://[${address}]`);
}

/** Letters, digits and inner hyphens, at most 63 (RFC 1123, section 2.1, and RFC 1035, section 2.3.4). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A URL's host is made ASCII by the same rules; what else a URL may hold is refused before. */
function asciiName(host: string): string | null {
  if (!/^[a-z0-9.\-\u0080-\u{10ffff}]+$/iu.test(host)) return null;
  const url = URL.parse(`http://${host}`);
  // A URL also takes `1.2.3` and `0x7f.1` for IPv4 addresses: here they are mistyped ones.
  if (url === null || url.hostname.length > 253 || isIPv4(url.hostname)) return null;
  return url.hostname.split(".").every((label) => LABEL.test(label)) ? url.hostname : null;
}

function adviceOn(host: string): string {
  if (host.includes("/")) return "give the host alone, without http:// and without a path";
  if (/^(\[.*\]|[^:]*):[0-9]*$/.test(host)) return "give the port by itself, not after the host";
  if (/^[0-9.]+$/.test(host)) return "an IPv4 address is four numbers from 0 to 255";
  return "give a name such as localhost, or an address such as 127.0.0.1 or ::1";
}

function shown(text: string, kind: string): string {
  return text === "" ? `an empty ${kind}` : `"${escapeControl(text)}" as a ${kind}`;
}
