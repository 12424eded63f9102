/**
 * Delays of timers, and numbers of things as people write them.
 *
 * @module
 */

/** The longest delay of a timer, in milliseconds (24.8 days). With a longer one, a timer fires at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** The delay in milliseconds as a timer can take it: a longer one, or what is not a number, becomes the longest. */
export function timerDelay(ms: number): number {
  return ms <= MAX_DELAY_MS ? ms : MAX_DELAY_MS;
}

/** Counts things: `1 line`, `2 lines`. */
export function count(things: number, noun: string): string {
  return `${things} ${noun}${things === 1 ? "" : "s"}`;
}
