/**
 * A clock that a test turns.
 *
 * @module
 */
import { stub } from "@std/testing/mock";

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
