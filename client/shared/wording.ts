/**
 * What the clients say about themselves.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { count } from "../../lib/base/count.ts";
import { DEFAULT_MAX_BODY_BYTES, FrameTooLargeError } from "../../lib/frame/frame.ts";
import type { ReconnectWait } from "../../lib/conn/reconnect.ts";

/** The size of a message's body. */
export function sizeOf(text: string): string {
  return count(Buffer.byteLength(text), "byte");
}

/** Why a line cannot be sent, or `undefined` when it can. */
export function objectionTo(line: string): string | undefined {
  if (!line.isWellFormed()) return "the line has half a character (a lone surrogate)";
  const isTooLong = Buffer.byteLength(line) > DEFAULT_MAX_BODY_BYTES;
  return isTooLong ? `the line is over ${DEFAULT_MAX_BODY_BYTES} bytes` : undefined;
}

/** What the client waits for before the next attempt to connect. */
export function waitMessage(address: string, { delayMs, error }: ReconnectWait): string {
  const seconds = (delayMs / 1000).toFixed(1);
  if (error === undefined) return `connecting again in ${seconds} s`;
  return `${noConnection(address, error)}; trying again in ${seconds} s`;
}

/** Tells that there is no connection, and why. */
export function noConnection(address: string, error: unknown): string {
  return `no connection to ${address}: ${reasonOf(error)}`;
}

/** Why a connection is lost, for a person. */
export function reasonOf(error: unknown): string {
  if (isTlsAlert(error)) return "the server speaks TLS: start the client with --tls";
  const reason = error instanceof Error ? error.message : String(error);
  // What Deno says of a certificate that nobody known has signed, as those of `deno task cert`.
  return reason.includes("UnknownIssuer")
    ? `${reason}: trust its certificate with --ca FILE`
    : reason;
}

/** Tells a header that is the beginning of an alert of TLS: 15 03, the version's second byte, 00. */
function isTlsAlert(error: unknown): boolean {
  return error instanceof FrameTooLargeError && error.bodyBytes >>> 16 === 0x1503;
}
