/**
 * Finds what a person probably meant.
 *
 * @module
 */

/** Longer words are not typing slips, and comparing them would cost their lengths multiplied. */
const MAX_WORD_CHARS = 32;

/**
 * Gives the candidate that a mistyped word was most likely meant to be.
 *
 * A candidate that begins with the word wins; otherwise the one with the fewest single slips (a
 * letter added, left out, replaced, or swapped with its neighbour). The first wins a tie. Capitals
 * do not count. `undefined` when more than half of the letters would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  if (typed === "" || typed.length > MAX_WORD_CHARS) return undefined;
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const meant = candidate.toLowerCase().slice(0, MAX_WORD_CHARS);
    const slips = meant.startsWith(typed) ? 0 : countSlips(typed, meant);
    if (slips >= fewest || slips > Math.max(typed.length, meant.length) / 2) continue;
    fewest = slips;
    best = candidate;
  }
  return best;
}

/** The message for an argument that is no flag, or none of those named. */
export function noFlag(arg: string, names: Iterable<string>): string {
  if (!arg.startsWith("-")) return `Cannot use ${JSON.stringify(arg)}: flags begin with --`;
  const near = nearest(arg.replace(/^-+|=.*/gs, ""), names);
  const advice = near === undefined ? "see --help" : `did you mean --${near}?`;
  return `There is no flag ${JSON.stringify(arg)}: ${advice}`;
}

/**
 * The edit distance with swaps ("optimal string alignment"): `row[j]` holds the slips between the
 * letters of `a` taken so far and the first `j` letters of `b`.
 */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
