/**
 * Turns of the event loop, for tests that ask what has happened without waiting for a time.
 *
 * @module
 */
import type { FakeTime } from "@std/testing/time";
import { setImmediate } from "node:timers";

/** Lets so many turns of the event loop pass. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Lets fake time pass, step by step; before each, everything happens that can happen in memory. */
export async function passTime(time: FakeTime, ...stepsMs: number[]): Promise<void> {
  for (const ms of stepsMs) {
    await turns(50);
    time.tick(ms);
  }
}

/** Whether a promise is still pending after everything that can happen in memory has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turns();
  return !settled;
}
