/**
 * Moves bytes between a socket and a message port, so that a conversation can be held in another thread.
 *
 * @module
 */
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { PortPipe } from "./port_pipe.ts";

const MIN_CHUNK_BYTES = 1024;
const MAX_CHUNK_BYTES = 64 * 1024;

/**
 * Moves what arrives at the socket into the port, no faster than the other end takes it, until the peer has finished,
 * which the other end reads as `null`, or reading was closed on this side, of which it learns nothing.
 *
 * @throws If the connection is lost. The other end gets the same error.
 */
export async function pumpIn(conn: FramedConn, pipe: PortPipe): Promise<void> {
  let chunkBytes = MIN_CHUNK_BYTES;
  try {
    while (await pipe.hasRoom()) {
      const chunk = new Uint8Array(chunkBytes);
      const bytes = await conn.read(chunk);
      if (bytes === null) return conn.finished ? pipe.end() : undefined;
      pipe.give(chunk.subarray(0, bytes));
      chunkBytes = nextChunkBytes(chunkBytes, bytes);
    }
  } catch (error) {
    pipe.fail(error);
    throw error;
  }
}

/**
 * Moves what comes through the port to the socket, no faster than the peer takes it, until the other end has finished.
 * The socket stays open.
 *
 * @throws If the connection is lost. The other end gets the same error.
 */
export async function pumpOut(pipe: PortPipe, conn: FramedConn): Promise<void> {
  try {
    for (;;) {
      const chunk = await pipe.takeChunk();
      if (chunk === null) return;
      await conn.write(chunk);
    }
  } catch (error) {
    pipe.fail(error);
    throw error;
  }
}

/** A chunk is moved with its whole buffer, so the buffer fits what has arrived of late. */
function nextChunkBytes(chunkBytes: number, bytes: number): number {
  if (bytes === chunkBytes) return Math.min(chunkBytes * 4, MAX_CHUNK_BYTES);
  return bytes < chunkBytes / 8 ? Math.max(chunkBytes / 4, MIN_CHUNK_BYTES) : chunkBytes;
}
