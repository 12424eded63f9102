/**
 * An event that happens once.
 *
 * @module
 */
import { quiet } from "./within.ts";

/** Settles once. Its promise is made when it is first asked for, because most are never waited for. */
export class Latch {
  #outcome: "open" | { error: unknown } | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Settles when the latch opens or fails. A rejection that is not handled is not reported. */
  get promise(): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = Promise.withResolvers();
      quiet(this.#waiting.promise);
      if (this.#outcome === "open") this.#waiting.resolve();
      else if (this.#outcome) this.#waiting.reject(this.#outcome.error);
    }
    return this.#waiting.promise;
  }

  /** Fulfils the promise, unless the latch has failed. */
  open(): void {
    this.#outcome ??= "open";
    this.#waiting?.resolve();
  }

  /** Rejects the promise, unless the latch has opened. */
  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#waiting?.reject(error);
  }
}
