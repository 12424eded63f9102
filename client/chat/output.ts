/**
 * The standard output and error of the chat client: whether something is lost.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";

/** Watches the streams that the client writes to. */
export class Output {
  #failure: (Error & { code?: string }) | undefined;

  /** Listens for failures. */
  constructor() {
    process.stdout.on("error", (error) => this.#failure ??= error);
    process.stderr.on("error", () => {}); // There is nowhere to report it.
  }

  /** Writes a line about the client itself to standard error. */
  report(text: string): void {
    try {
      process.stderr.write(`${text}\n`);
    } catch {
      // A file on a full disk: there is nowhere to report it.
    }
  }

  /**
   * Waits until everything is written.
   *
   * @throws {Error} If some of the output is lost, except where its reader ended early, as `head` does.
   */
  async flush(): Promise<void> {
    await this.#written(process.stdout);
    await this.#written(process.stderr);
    if (this.#failure && this.#failure.code !== "EPIPE") throw this.#failure;
  }

  /** Settles when everything before is written, or cannot be. */
  #written(stream: Writable): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // After a failure the stream does not call back.
    if (this.#failure && stream === process.stdout) return Promise.resolve();
    stream.on("error", resolve);
    stream.write("", () => resolve());
    return promise.finally(() => stream.off("error", resolve));
  }
}
