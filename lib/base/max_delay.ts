/**
 * How long a timer can wait.
 *
 * @module
 */

/** The longest delay of a timer, in milliseconds (24.8 days): a longer one, as `Infinity`, would be none at all. */
export const MAX_DELAY_MS = 2 ** 31 - 1;
