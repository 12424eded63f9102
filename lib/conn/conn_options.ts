/**
 * What a connection of messages is made of, and its limits.
 *
 * @module
 */
import { checkFunctions, checkLimits, checkObject } from "../base/checks.ts";
import { checkMaxBodyBytes, type FrameOptions, type MessageObserver } from "../frame/frame.ts";

/** The part of a `Deno.Conn` that carries the bytes. */
export type Transport =
  & Pick<Deno.Conn, "localAddr" | "remoteAddr" | "read" | "write" | "closeWrite" | "close">
  & Partial<Pick<Deno.Conn, "ref" | "unref">>;

/** Options for {@linkcode FramedConn}. */
export interface FramedConnOptions extends FrameOptions {
  /**
   * A `receive` that gets no byte for this long rejects with `Deno.errors.TimedOut`, in milliseconds; up to a quarter
   * later, never earlier. What earlier calls waited, that were given up, counts. 0 waits without limit.
   *
   * @default {0}
   */
  idleTimeoutMs?: number;
  /**
   * While a `receive` waits for a message that has begun, at least 1 KB a second must come in, on average over this long,
   * in milliseconds; otherwise it rejects with `Deno.errors.TimedOut`, up to a quarter later. 0 sets no limit.
   *
   * @default {12 * idleTimeoutMs, at most 60000}
   */
  messageTimeoutMs?: number;
  /**
   * What was sent before `close` has this long to reach the operating system, in milliseconds. 0 sets no limit.
   *
   * @default {5000, or 0 with sendTimeoutMs}
   */
  lingerTimeoutMs?: number;
  /**
   * Lets the operating system probe a silent peer (TCP keep-alive), so that one that is gone is noticed at last. How
   * often is set in the operating system.
   *
   * @default {true}
   */
  keepAlive?: boolean;
  /** Called for each message that a `receive` gives, with the length of its body in bytes. It must not throw. */
  onReceived?: (bodyBytes: number) => void;
  /**
   * With this many bytes queued or more, `send` settles when they are written. Bytes already handed to a write do not
   * count.
   *
   * @default {65536}
   */
  highWaterMarkBytes?: number;
  /**
   * How long the peer may take none of the bytes that are queued, in milliseconds; the connection is lost up to a quarter
   * later, never earlier. 0 waits without limit.
   *
   * @default {0}
   */
  sendTimeoutMs?: number;
  /**
   * Called for each message when its write begins, in order, with the length of its body in bytes. It must not throw.
   */
  onSent?: (bodyBytes: number) => void;
  /** @internal Takes the calls of both in place of these options. */
  observer?: MessageObserver;
}

/**
 * Checks what is to carry the bytes.
 *
 * @throws {TypeError} If it lacks a method, or the address of the peer.
 */
export function checkTransport(action: string, conn: Transport): void {
  checkObject(action, "conn", conn, ["read", "write", "closeWrite", "close"]);
  checkObject(action, "conn.remoteAddr", conn.remoteAddr);
}

// Marks options whose limits were checked; a copy of them is marked, too.
const CHECKED = Symbol("checked");

/**
 * Checks the limits among the options, and gives options that are not checked again.
 *
 * @param action What cannot be done with a wrong one, for the message.
 * @throws {RangeError} If one is less than 0, or not a number.
 * @throws {TypeError} If a callback is not a function, or the options are not an object.
 */
export function checkedOptions<Options extends FramedConnOptions>(
  options: Options,
  action = "frame a connection",
): Options {
  checkObject(action, "options", options);
  if (CHECKED in options) return options;
  const { maxBodyBytes, idleTimeoutMs, sendTimeoutMs, highWaterMarkBytes } = options;
  const { messageTimeoutMs, lingerTimeoutMs, onReceived, onSent } = options;
  checkMaxBodyBytes(maxBodyBytes);
  checkLimits(action, { messageTimeoutMs, lingerTimeoutMs });
  checkLimits(action, { idleTimeoutMs, sendTimeoutMs, highWaterMarkBytes });
  checkFunctions(action, {}, { onReceived, onSent });
  return { ...options, [CHECKED]: true };
}
