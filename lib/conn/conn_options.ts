/**
 * What a connection takes.
 *
 * @module
 */
import { checkLimits } from "../base/limits.ts";
import { checkMaxBodyBytes } from "../frame/frame.ts";
import type { MessageReaderOptions } from "./message_reader.ts";
import type { WriteQueueOptions } from "./write_queue.ts";

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
