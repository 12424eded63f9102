/**
 * What was thrown, as a text. Anything can be thrown, also what cannot be made a text.
 *
 * @module
 */

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
