/**
 * Limits that callers give.
 *
 * @module
 */

/**
 * Checks limits by their names; one that is left out is fine.
 *
 * @param action What cannot be done with a wrong one, for the message: "serve", say.
 * @throws {RangeError} If one is less than 0, or not a number.
 */
export function checkLimits(action: string, limits: Record<string, number | undefined>): void {
  for (const [name, limit = 0] of Object.entries(limits)) {
    if (limit >= 0) continue;
    throw new RangeError(`Cannot ${action}: ${name} is ${limit}. Give a number from 0`);
  }
}
