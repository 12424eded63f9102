/**
 * Lines on their way from where they were entered to who asks for them.
 *
 * @module
 */

/** Holds lines until they are asked for, and askers until there is a line; both in order. */
export class LineQueue {
  #lines: string[] = [];
  #askers: ((line: string | null) => void)[] = [];
  #isEnded = false;

  /** How many lines wait. */
  get size(): number {
    return this.#lines.length;
  }

  /** Hands a line to who asked first, or keeps it; after `end` drops it. */
  push(line: string): void {
    if (this.#isEnded) return;
    const asker = this.#askers.shift();
    if (asker === undefined) this.#lines.push(line);
    else asker(line);
  }

  /** Gives the next line; `null` when there will be none. */
  next(): Promise<string | null> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#isEnded) return Promise.resolve(line ?? null);
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#askers.push(resolve);
    return promise;
  }

  /** Says that no line will follow; those that wait can still be taken. */
  end(): void {
    this.#isEnded = true;
    for (const asker of this.#askers.splice(0)) asker(null);
  }

  /** Drops the lines that wait. */
  clear(): void {
    this.#lines = [];
  }
}
