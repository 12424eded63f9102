/**
 * Numbers that callers give, and numbers of things as people write them.
 *
 * @module
 */

/** The longest delay of a timer, in milliseconds (24.8 days). With a longer one, a timer fires at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** The delay in milliseconds as a timer can take it: a longer one, or what is not a number, becomes the longest. */
export function timerDelay(ms: number): number {
  return ms <= MAX_DELAY_MS ? ms : MAX_DELAY_MS;
}

/**
 * Checks limits by their names; one that is left out is fine.
 *
 * @param action What cannot be done with a wrong one, for the message: "serve", say.
 * @throws {RangeError} If one is less than `least`, or not a number.
 */
export function checkLimits(
  action: string,
  limits: Record<string, number | undefined>,
  least = 0,
): void {
  for (const [name, limit = least] of Object.entries(limits)) {
    if (typeof limit === "number" && limit >= least) continue;
    throw new RangeError(`Cannot ${action}: ${name} is ${limit}. Give a number from ${least}`);
  }
}

/** Counts things: `1 line`, `2 lines`. */
export function count(things: number, noun: string): string {
  return `${things} ${noun}${things === 1 ? "" : "s"}`;
}
