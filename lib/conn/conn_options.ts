/**
 * What a connection of messages is made of, and its limits.
 *
 * @module
 */
import { checkLimits } from "../base/limits.ts";
import { checkMaxBodyBytes } from "../frame/frame.ts";
import type { MessageReaderOptions } from "./message_reader.ts";
import type { WriteQueueOptions } from "./write_queue.ts";

/** The part of a `Deno.Conn` that carries the bytes. */
export type Transport =
  & Pick<Deno.Conn, "localAddr" | "remoteAddr" | "read" | "write" | "closeWrite" | "close">
  & Partial<Pick<Deno.Conn, "ref" | "unref">>;

/** Options for {@linkcode FramedConn}. */
export interface FramedConnOptions extends MessageReaderOptions, WriteQueueOptions {}

/**
 * Checks the limits among the options.
 *
 * @throws {RangeError} If one is less than 0, or not a number.
 */
export function checkOptions(options: FramedConnOptions): void {
  const { maxBodyBytes, idleTimeoutMs, sendTimeoutMs, highWaterMarkBytes } = options;
  checkMaxBodyBytes(maxBodyBytes);
  checkLimits("frame a connection", { idleTimeoutMs, sendTimeoutMs, highWaterMarkBytes });
}
