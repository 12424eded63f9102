/**
 * Pool of buffers: a busy connection allocates nothing, and an idle one keeps nothing.
 *
 * @module
 */

/** The smallest buffer, in bytes. */
export const SMALL_BUFFER_BYTES = 256;

/** The largest buffer that is kept for another use, in bytes: a message of 64 KiB fits with its header. */
export const LARGE_BUFFER_BYTES: number = 65 * 1024;

// At most 64 of each size wait for another use: 4.3 MiB together.
const MAX_KEPT = 64;
const sizes = [SMALL_BUFFER_BYTES, 4 * 1024, LARGE_BUFFER_BYTES];
const kept: Uint8Array<ArrayBuffer>[][] = sizes.map(() => []);

/** Takes a buffer of at least `bytes` bytes. Its content is arbitrary: bytes of another connection, for example. */
export function takeBuffer(bytes: number): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < sizes.length; i++) {
    if (bytes <= sizes[i]!) return kept[i]!.pop() ?? new Uint8Array(sizes[i]!);
  }
  return new Uint8Array(bytes);
}

/** Gives a buffer back. There must be no view of it any more. */
export function giveBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  const size = sizes.indexOf(buffer.length);
  if (size >= 0 && kept[size]!.length < MAX_KEPT) kept[size]!.push(buffer);
}
