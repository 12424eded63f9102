/**
 * The end of connections from the server's side.
 *
 * @module
 */
import { timerDelay } from "../base/numbers.ts";
import type { ByteConn } from "../conn/byte_conn.ts";
import { type ConversationEnd, goodbyeReasonOf } from "./end_reason.ts";
import type { Carrier } from "./http_protocol.ts";
import type { ConversationOptions, DrainOptions } from "./serve_options.ts";

/**
 * Sends the last message and what is queued, and waits until the peer has finished too; gives the error of that, if any.
 * Closing is up to the caller.
 *
 * While bytes are queued, the time does not run: how long that may last is up to `sendTimeoutMs`.
 *
 * @param sendLast Queues the last message.
 */
export async function finish(
  conn: ByteConn,
  timeoutMs: number,
  sendLast: () => void,
): Promise<unknown> {
  let failure: unknown;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const startTimer = () => {
    if (timeoutMs > 0) timer = setTimeout(onTimeout, timerDelay(timeoutMs));
  };
  const onTimeout = () => conn.queuedBytes > 0 ? startTimer() : conn.abort();
  startTimer();
  try {
    // A receive that the handler left pending would be in the way of reading to the end.
    conn.closeRead();
    // Nothing may come between the last message and closeWrite, so this does not wait.
    sendLast();
    // It is refused where the handler has called it itself; if the peer is gone, reading shows that as well.
    await conn.closeWrite().catch((error) => failure = error);
    await conn.discard();
  } catch (error) {
    failure = error;
  } finally {
    clearTimeout(timer);
  }
  return failure;
}

/** Queues the last message of a conversation, where the peer is told how it ended. */
export function sendGoodbye(
  conn: Carrier | undefined,
  { reason, error }: ConversationEnd,
  goodbye: ConversationOptions["goodbye"],
): void {
  const told = goodbyeReasonOf(reason);
  if (told === undefined) return;
  const detail = told === "protocol" && error instanceof Error ? error.message : undefined;
  const text = goodbye?.(told, detail);
  // One that is longer than a body may be is not sent, and closing says the rest.
  if (typeof text === "string") conn?.send(text).catch(() => {});
  conn?.closeFor?.(told);
}

/** Something that is ending, and can be ended at once. */
export interface Ending {
  /** Settles when it has ended. */
  readonly over: Promise<void>;
  /** Ends it. */
  abort(): void;
}

/** Waits until all have ended; those that have not in time, or when the signal aborts, are ended at once. */
export async function drain(ending: Ending[], options: DrainOptions): Promise<void> {
  const { timeoutMs = 0, signal } = options;
  const abortAll = () => ending.forEach((one) => one.abort());
  const timer = timeoutMs > 0 ? setTimeout(abortAll, timerDelay(timeoutMs)) : undefined;
  signal?.addEventListener("abort", abortAll);
  if (signal?.aborted) abortAll();
  await Promise.all(ending.map(({ over }) => over));
  clearTimeout(timer);
  signal?.removeEventListener("abort", abortAll);
}
