/**
 * Positions of characters in valid UTF-8.
 *
 * JavaScript counts a text in UTF-16 units: a character of four bytes is two of them, any other is one.
 *
 * @module
 */

/** How many UTF-16 units the bytes from `start` to `end` are. */
export function unitsIn(bytes: Uint8Array, start: number, end: number): number {
  let units = 0;
  for (let at = start; at < end; at += characterBytes(bytes[at]!)) {
    units += bytes[at]! < 0xf0 ? 1 : 2;
  }
  return units;
}

/** Where the text of `units` UTF-16 units that begins at `start` ends. */
export function endOfUnits(bytes: Uint8Array, start: number, units: number): number {
  let at = start;
  for (let left = units; left > 0; at += characterBytes(bytes[at]!)) {
    left -= bytes[at]! < 0xf0 ? 1 : 2;
  }
  return at;
}

/** How many bytes the character has that begins with such a byte. */
function characterBytes(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
