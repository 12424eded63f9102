/**
 * Flags that are numbers.
 *
 * @module
 */

/**
 * Reads the number that was given with a flag.
 *
 * @throws {Error} If it is no number from `least` to `most`.
 */
export function numberOf(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== "" && value >= least && value <= most) return value;
  throw new Error(`Cannot use --${flag} ${text}: give a number from ${least} to ${most}`);
}
