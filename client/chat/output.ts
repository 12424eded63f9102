/**
 * The standard output and error of the chat client: how full they are, and whether something is lost.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";

/** With more than this waiting to be written, nothing more is received. */
const MAX_QUEUED_BYTES = 256 * 1024;

/** Watches the streams that the client writes to. */
export class Output {
  readonly #streams = [process.stdout, process.stderr];
  #failure: (Error & { code?: string }) | undefined;

  /** Listens for failures. */
  constructor() {
    process.stdout.on("error", (error) => this.#failure ??= error);
    process.stderr.on("error", () => {}); // There is nowhere to report it.
  }

  /** Settles when little enough waits to be written; `undefined` if that is so already. */
  drained(): Promise<void> | undefined {
    const full = this.#streams.find(({ writableLength }) => writableLength > MAX_QUEUED_BYTES);
    return full && written(full);
  }

  /**
   * Waits until everything is written.
   *
   * @throws {Error} If some of the output is lost, except where its reader ended early, as `head` does.
   */
  async flush(): Promise<void> {
    for (const stream of this.#streams) await written(stream);
    if (this.#failure && this.#failure.code !== "EPIPE") throw this.#failure;
  }
}

/** Settles when everything before is written, or cannot be. */
function written(stream: Writable): Promise<void> {
  return new Promise((resolve) => void stream.write("", () => resolve()));
}
