/**
 * What `serve` takes beside the handler.
 *
 * @module
 */
import type { AdmissionOptions } from "./admission.ts";
import type { ConversationOptions } from "./conversation_options.ts";
import { checkLimits } from "../base/limits.ts";
import { checkMaxBodyBytes } from "../frame/frame.ts";
import { guarded } from "./guarded.ts";
import type { ListenOptions } from "./listen.ts";

/** Options for {@linkcode serve}. */
export interface ServeOptions extends ListenOptions, ConversationOptions, AdmissionOptions {
  /**
   * A connection whose peer takes none of the queued bytes for this long, in milliseconds, ends as lost. 0 sets no limit.
   *
   * @default {30000}
   */
  sendTimeoutMs?: number;
  /** Closes the server at once when it aborts. */
  signal?: AbortSignal | undefined;
}

/**
 * Checks the limits among the options.
 *
 * @throws {RangeError} If one is less than 0, or not a number.
 */
export function checkOptions(options: ServeOptions): void {
  checkMaxBodyBytes(options.maxBodyBytes);
  const { maxConnections, maxPerAddress, idleTimeoutMs, highWaterMarkBytes } = options;
  const { sendTimeoutMs, handshakeTimeoutMs, closeTimeoutMs } = options;
  checkLimits("serve", { maxConnections, maxPerAddress, idleTimeoutMs, highWaterMarkBytes });
  checkLimits("serve", { sendTimeoutMs, handshakeTimeoutMs, closeTimeoutMs });
}

/** The callbacks among the options, made safe to call. */
export function guardCallbacks(options: ServeOptions): Partial<ServeOptions> {
  const { onEvent, onReceived, onSent, goodbye } = options;
  return {
    ...(onEvent && { onEvent: guarded("onEvent", onEvent) }),
    ...(onReceived && { onReceived: guarded("onReceived", onReceived) }),
    ...(onSent && { onSent: guarded("onSent", onSent) }),
    ...(goodbye && { goodbye: guarded("goodbye", goodbye) }),
  };
}
