/**
 * Numbers of things, as people write them.
 *
 * @module
 */

/** Counts things: `1 line`, `2 lines`. */
export function count(things: number, noun: string): string {
  return `${things} ${noun}${things === 1 ? "" : "s"}`;
}
