/**
 * Comparing secrets without telling how much of them is right.
 *
 * @module
 */

/**
 * Compares bytes in a time that depends on their number only.
 *
 * @throws {TypeError} When the lengths differ.
 */
export function timingSafeEqual(
  a: ArrayBufferView | ArrayBufferLike,
  b: ArrayBufferView | ArrayBufferLike,
): boolean {
  if (a.byteLength !== b.byteLength) {
    throw new TypeError(
      `Cannot compare buffers of different byte lengths (${a.byteLength} vs ${b.byteLength})`,
    );
  }
  const [left, right] = [bytesOf(a), bytesOf(b)];
  let differing = 0;
  for (let i = 0; i < left.length; i++) differing |= left[i]! ^ right[i]!;
  return differing === 0;
}

function bytesOf(value: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
