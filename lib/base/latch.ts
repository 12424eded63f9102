/**
 * An event that happens once.
 *
 * @module
 */

/** Settles once. Its promise is made when it is first asked for, because most are never waited for. */
export class Latch {
  #waiting: PromiseWithResolvers<void> | undefined;
  #opened = false;
  #failure: { error: unknown } | undefined;

  /** Whether `open` was called. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Settles when the latch opens or fails. A rejection that is not handled is not reported. */
  get promise(): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = Promise.withResolvers();
      this.#waiting.promise.catch(() => {});
      this.#settle();
    }
    return this.#waiting.promise;
  }

  /** Fulfils the promise. */
  open(): void {
    this.#opened = true;
    this.#settle();
  }

  /** Rejects the promise, unless the latch has opened. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#settle();
  }

  #settle(): void {
    if (this.#opened) this.#waiting?.resolve();
    else if (this.#failure) this.#waiting?.reject(this.#failure.error);
  }
}
