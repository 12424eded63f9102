/**
 * What the clients say about themselves.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { count } from "../../lib/base/count.ts";
import { DEFAULT_MAX_BODY_BYTES } from "../../lib/frame/frame.ts";
import type { ReconnectWait } from "../../lib/conn/reconnect.ts";
import { explainFailure } from "./failure.ts";

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
  return `no connection to ${address}: ${explainFailure(error).reason}`;
}
