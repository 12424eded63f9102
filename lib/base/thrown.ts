/**
 * What was thrown, as a text. Anything can be thrown, also what cannot be made a text.
 *
 * @module
 */

/** What was thrown, or an error in its place if it cannot be read: a revoked proxy throws at every question. */
export function readable(thrown: unknown): unknown {
  try {
    if (thrown instanceof Error) void [thrown.message, thrown.cause];
    return thrown;
  } catch {
    return new TypeError("Cannot read what was thrown");
  }
}

/** The message of an error, or the value itself. Never throws. */
export function messageOf(thrown: unknown): string {
  return textOf(() => thrown instanceof Error ? thrown.message : thrown);
}

/** The stack of an error, or what else is known about it. Never throws. */
export function stackOf(thrown: unknown): string {
  return textOf(() => thrown instanceof Error ? thrown.stack ?? thrown : thrown);
}

function textOf(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return "a value without a text";
  }
}
