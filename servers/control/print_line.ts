/**
 * Lines for the operator, who may have nowhere to read them.
 *
 * @module
 */

/** Standard output, standard error, or another place for bytes. */
export interface SyncWriter {
  /** Writes some of the bytes, at least one, and tells how many. */
  writeSync(bytes: Uint8Array): number;
}

/**
 * Writes a text and ends its line. What cannot be written is dropped: a server goes on where its output is a file on a
 * full disk, or nothing at all.
 */
export function printLine(to: SyncWriter, text: string): void {
  try {
    writeAll(to, new TextEncoder().encode(`${text}\n`));
  } catch {
    // There is no other place to tell it, and nobody whom the server would serve better by its end.
  }
}

/**
 * Writes all bytes.
 *
 * @throws {Error} If they cannot be written.
 */
export function writeAll(to: SyncWriter, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
}
