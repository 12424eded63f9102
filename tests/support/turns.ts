/**
 * Turns of the event loop, for tests that ask what has happened without waiting for a time.
 *
 * @module
 */
import { stub } from "@std/testing/mock";
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

/** The time of day and the time that passes, both in milliseconds; timers keep their own. */
export interface Clock extends Disposable {
  /** What it shows. */
  ms: number;
}

/** Stops the clocks of this program at a time, until it is disposed of. */
export function stubClock(ms = 0): Clock {
  const clock = { ms, [Symbol.dispose]: () => stubs.forEach((each) => each.restore()) };
  const stubs = [
    stub(performance, "now", () => clock.ms),
    stub(Date, "now", () => clock.ms),
  ];
  return clock;
}
