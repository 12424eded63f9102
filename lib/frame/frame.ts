/**
 * The frame: how one message stands on the wire.
 *
 * ```text
 *  0        1        2        3        4                        4 + length
 *  +--------+--------+--------+--------+------------ ··· ------------+
 *  |     length of the body (u32 BE)   |   body: UTF-8, length bytes |
 *  +--------+--------+--------+--------+------------ ··· ------------+
 * ```
 *
 * The length counts the body only; 0 is a message like any other. It is the format of Erlang's
 * `{packet, 4}`, tokio's `LengthDelimitedCodec`, Twisted's `Int32StringReceiver` and Python's `struct "!I"`.
 *
 * @module
 */

import { kindOf } from "../base/checks.ts";

/** Bytes in front of every body: an unsigned 32-bit big-endian length. */
export const HEADER_BYTES = 4;

/** The largest body that is sent or accepted where no other limit is given: 1 MiB. */
export const DEFAULT_MAX_BODY_BYTES: number = 1024 * 1024;

/**
 * A frame's body is, or is announced to be, longer than the limit.
 *
 * On the receiving side nothing more can be read from the stream afterwards.
 */
export class FrameTooLargeError extends RangeError {
  /** The length of the refused body, in bytes. Exact when received; when sent, a lower bound suffices to refuse. */
  readonly bodyBytes: number;
  /** The limit it broke, in bytes. */
  readonly maxBodyBytes: number;

  /** Says what could not be done (`action`: "send", "receive") and with which numbers. */
  constructor(action: string, bodyBytes: number, maxBodyBytes: number) {
    super(`Cannot ${action} a body of ${bodyBytes} bytes: the limit is ${maxBodyBytes}`);
    this.name = "FrameTooLargeError";
    this.bodyBytes = bodyBytes;
    this.maxBodyBytes = maxBodyBytes;
  }
}

/** Is told of the messages of a connection. It must not throw. */
export interface MessageObserver {
  /** Called for each message that a `receive` gives, with the length of its body in bytes. */
  onReceived?(bodyBytes: number): void;
  /** Called for each message when its write begins, in order, with the length of its body in bytes. */
  onSent?(bodyBytes: number): void;
}

/** Options that limit a frame. */
export interface FrameOptions {
  /**
   * Longest body in bytes, 0 to 2^32 − 1, be it sent or received.
   *
   * @default {1048576}
   */
  maxBodyBytes?: number;
}

/**
 * Checks a body limit given by a caller.
 *
 * @throws {RangeError} If it is not a whole number that a 32-bit header can announce.
 */
export function checkMaxBodyBytes(maxBodyBytes: number = DEFAULT_MAX_BODY_BYTES): number {
  if (Number.isInteger(maxBodyBytes) && maxBodyBytes >= 0 && maxBodyBytes <= 0xffff_ffff) {
    return maxBodyBytes;
  }
  throw new RangeError(
    `Cannot limit bodies to ${maxBodyBytes} bytes: give a whole number from 0 to 4294967295`,
  );
}

/** Reads the length that the header at `offset` announces, in bytes. */
export function readHeader(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) |
    bytes[offset + 3]!) >>> 0;
}

/** Writes the header of a body of `bodyBytes` bytes at `offset`. */
export function writeHeader(bytes: Uint8Array, offset: number, bodyBytes: number): void {
  bytes[offset] = bodyBytes >>> 24;
  bytes[offset + 1] = bodyBytes >>> 16;
  bytes[offset + 2] = bodyBytes >>> 8;
  bytes[offset + 3] = bodyBytes;
}

/**
 * Refuses what is not a text, and a text that UTF-8 cannot carry, because the peer would get another than was sent.
 *
 * @throws {TypeError} If it is not a string, or has a lone surrogate.
 */
export function checkText(text: string): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot send ${kindOf(text)} as a text: give a string`);
  }
  if (!text.isWellFormed()) {
    throw new TypeError("Cannot send the text: it has a lone surrogate, which UTF-8 cannot carry");
  }
}

/**
 * Refuses what is not bytes: its length could be anything.
 *
 * @throws {TypeError} If it is not a `Uint8Array`.
 */
export function checkBytes(bytes: Uint8Array): void {
  if (bytes instanceof Uint8Array) return;
  throw new TypeError(`Cannot use ${kindOf(bytes)} as bytes: give a Uint8Array`);
}

/**
 * Refuses what is not one whole frame: it would put the stream out of step.
 *
 * @throws {TypeError} If it is not a `Uint8Array`, or its header announces another length.
 */
export function checkFrame(frame: Uint8Array): void {
  checkBytes(frame);
  if (frame.length >= HEADER_BYTES && readHeader(frame, 0) === frame.length - HEADER_BYTES) return;
  throw new TypeError(
    `Cannot send ${frame.length} bytes as a frame: give what encodeFrame() returns`,
  );
}

const encoder = new TextEncoder();

/** As text what a header is as bytes: encoded in front of a body, it makes room for its header. */
export const HEADER_SPACE: string = "\0".repeat(HEADER_BYTES);

/**
 * Makes one whole frame of a text: for a broadcast, encode once and hand the same bytes to everyone.
 *
 * @throws {TypeError} If the text has a lone surrogate.
 * @throws {FrameTooLargeError} If the body is over the limit.
 *
 * @example
 * ```ts
 * import { encodeFrame } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeFrame("hi"), new Uint8Array([0, 0, 0, 2, 0x68, 0x69]));
 * ```
 */
export function encodeFrame(text: string, options: FrameOptions = {}): Uint8Array<ArrayBuffer> {
  const maxBodyBytes = checkMaxBodyBytes(options.maxBodyBytes);
  checkText(text);
  // Every UTF-16 unit takes at least one byte, so this refuses before anything is allocated.
  if (text.length > maxBodyBytes) throw new FrameTooLargeError("send", text.length, maxBodyBytes);
  const frame = encoder.encode(HEADER_SPACE + text);
  const bodyBytes = frame.length - HEADER_BYTES;
  if (bodyBytes > maxBodyBytes) throw new FrameTooLargeError("send", bodyBytes, maxBodyBytes);
  writeHeader(frame, 0, bodyBytes);
  return frame;
}
