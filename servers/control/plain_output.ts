/**
 * Standard output of a server where it is no screen.
 *
 * @module
 */
import { Writable } from "node:stream";
import { type SyncWriter, writeAll } from "./print_line.ts";

/**
 * Drops what cannot be written, as to a file on a full disk, and writes again once there is room: `process.stdout` throws
 * at whoever writes, and writes nothing more. Only a pipe that nobody reads any more is an error.
 */
export class PlainOutput extends Writable {
  readonly #to: SyncWriter;

  /** Writes there. */
  constructor(to: SyncWriter = Deno.stdout) {
    super();
    this.#to = to;
  }

  /** Called by the stream. */
  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    try {
      writeAll(this.#to, chunk);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return done(error);
    }
    done();
  }
}
