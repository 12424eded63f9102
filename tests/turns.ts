/**
 * Turns of the event loop, for tests that ask what has happened without waiting for a time.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Lets so many turns of the event loop pass. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Whether a promise is still pending after everything that can happen in memory has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turns();
  return !settled;
}
