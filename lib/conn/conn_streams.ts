/**
 * Web streams over a connection's `read` and `write`.
 *
 * @module
 */

import { quiet } from "../base/within.ts";
import { checkBytes } from "../frame/frame.ts";

const CHUNK_BYTES = 16 * 1024;

/** Makes a stream of what `conn` reads. Its end leaves the connection open; cancelling it closes the connection. */
export function readableOf(
  conn: Pick<Deno.Conn, "read" | "close">,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const bytes = await conn.read(chunk);
      if (bytes === null) controller.close();
      else controller.enqueue(chunk.subarray(0, bytes));
    },
    cancel: () => conn.close(),
  }, { highWaterMark: 0 });
}

/** Closes what its owner, or its own code, may have closed: what `close` throws or rejects with does not matter. */
export function closeQuietly(closable: { close(): unknown }): void {
  try {
    const closing = closable.close();
    if (closing instanceof Promise) quiet(closing);
  } catch { /* There is nothing left to close. */ }
}

/** Writes all of `bytes`, which must not change until then: one write may take a part. */
export async function writeAll(conn: Pick<Deno.Conn, "write">, bytes: Uint8Array): Promise<void> {
  // What has no length would count as written.
  checkBytes(bytes);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Makes a stream that `conn` writes. Closing it is `closeWrite`; aborting it closes the connection. */
export function writableOf(
  conn: Pick<Deno.Conn, "write" | "closeWrite" | "close">,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  return new WritableStream({
    write: (chunk) => writeAll(conn, chunk),
    close: () => conn.closeWrite(),
    abort: () => conn.close(),
  });
}
