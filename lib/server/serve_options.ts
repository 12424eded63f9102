/**
 * What `serve` takes beside the handler.
 *
 * @module
 */
import type { AdmissionOptions } from "./admission.ts";
import { checkFunctions, checkLimits, checkObject, checkSignal } from "../base/checks.ts";
import { checkedOptions, type FramedConnOptions } from "../conn/conn_options.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import { guarded } from "./guarded.ts";
import type { HttpProtocol } from "./http_protocol.ts";
import type { ListenOptions } from "./listen.ts";
import type { ServerEvent } from "./server_events.ts";

/** Options of `serve` for each conversation. */
export interface ConversationOptions extends FramedConnOptions {
  /**
   * A TLS peer has this long to shake hands, in milliseconds; then it is closed as `idle`. 0 sets no limit.
   *
   * @default {10000}
   */
  handshakeTimeoutMs?: number;
  /**
   * A peer has this long to close its end once it was sent everything, in milliseconds, the goodbye included; then the
   * server closes the connection. A peer that was `kicked` has this long to take what it is sent, too. While a peer takes
   * bytes, or until `sendTimeoutMs` has passed without that, others are waited for. 0 sets no limit.
   *
   * @default {2000}
   */
  closeTimeoutMs?: number;
  /**
   * Makes the last message to a peer whose conversation this side ends; `undefined` sends none. Without it, none is
   * sent: a peer could take it for an answer. `goodbyeText` makes sentences that begin with `Goodbye: `.
   *
   * What it throws is printed to standard error, and no message is sent.
   */
  goodbye?: (reason: GoodbyeReason, detail?: string) => string | undefined;
  /**
   * Called with everything that happens. What it throws is printed to standard error, and the server continues. Without
   * it, what a handler throws is printed to standard error too, once for its conversation; with it, the error is that of
   * the event `disconnected`.
   */
  onEvent?: (event: ServerEvent) => void;
}

/** The option of a server that speaks HTTP too. */
export interface HttpOption {
  /** Speaks HTTP with the peers that begin with a request. Without it, all speak frames. */
  http?: HttpProtocol | undefined;
}

/** Options for {@linkcode serve}. */
export interface ServeOptions extends ListenOptions, ConversationOptions, AdmissionOptions {
  /**
   * A connection whose peer takes none of the queued bytes for this long, in milliseconds, ends as lost. 0 sets no limit.
   *
   * @default {30000}
   */
  sendTimeoutMs?: number;
  /**
   * A peer that sends nothing while the handler receives ends as `idle` after this long, in milliseconds. 0 sets no
   * limit.
   *
   * @default {600000}
   */
  idleTimeoutMs?: number;
  /** Closes the server at once when it aborts. */
  signal?: AbortSignal | undefined;
}

/** What a server sets where its options do not. */
const SERVER_TIMEOUTS = { sendTimeoutMs: 30_000, idleTimeoutMs: 600_000 };

/** Options for waiting until conversations have ended. */
export interface DrainOptions {
  /**
   * Ends the wait after so many milliseconds: connections whose handlers have not returned by then are closed. 0 sets no
   * limit.
   *
   * @default {0}
   */
  timeoutMs?: number;
  /** Ends the wait when it aborts, in the same way. */
  signal?: AbortSignal | undefined;
}

/**
 * Checks options for waiting.
 *
 * @throws {RangeError} If the time is less than 0, or not a number.
 * @throws {TypeError} If the signal is not an `AbortSignal`.
 */
export function checkDrainOptions(action: string, { timeoutMs, signal }: DrainOptions): void {
  checkLimits(action, { timeoutMs });
  checkSignal(action, signal);
}

/**
 * Checks what would fail later: for each client that connects, or when the server listens already.
 *
 * @throws {TypeError} If one of them has a wrong type.
 */
export function checkArguments(handler: unknown, options: ServeOptions): void {
  checkObject("serve", "options", options);
  const { signal, onEvent, goodbye } = options;
  checkFunctions("serve", { handler }, { onEvent, goodbye });
  checkSignal("serve", signal);
}

/**
 * Makes the options of all connections: the limits are checked, once, what is left out is set, and the callbacks are safe
 * to call.
 *
 * @throws {RangeError} If a limit is less than 0, or not a number.
 */
export function completedServeOptions<Options extends ServeOptions>(options: Options): Options {
  const { maxConnections, maxPerAddress, handshakeTimeoutMs, closeTimeoutMs } = options;
  checkLimits("serve", { maxConnections, maxPerAddress, handshakeTimeoutMs, closeTimeoutMs });
  return { ...SERVER_TIMEOUTS, ...checkedOptions(options, "serve"), ...guardCallbacks(options) };
}

/** The callbacks among the options, made safe to call. */
function guardCallbacks(options: ServeOptions): Partial<ServeOptions> {
  const { onEvent, onReceived, onSent, goodbye } = options;
  return {
    ...(onEvent && { onEvent: guarded("onEvent", onEvent) }),
    ...(onReceived && { onReceived: guarded("onReceived", onReceived) }),
    ...(onSent && { onSent: guarded("onSent", onSent) }),
    ...(goodbye && { goodbye: guarded("goodbye", goodbye) }),
  };
}
