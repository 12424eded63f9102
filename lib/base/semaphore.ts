/**
 * Semaphore with a bounded FIFO queue.
 *
 * @module
 */

/** Options for {@linkcode Semaphore}. */
export interface SemaphoreOptions {
  /** How many tasks may run at once. */
  maxRunning: number;
  /** How many more may wait. */
  maxWaiting: number;
}

/** Bounds costly work: runs a few tasks at a time, in the order they came, and refuses those that find the queue full. */
export class Semaphore {
  readonly #options: SemaphoreOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Makes a semaphore with nothing running. */
  constructor(options: SemaphoreOptions) {
    this.#options = options;
  }

  /** Whether the next task would be refused. */
  get isFull(): boolean {
    const { maxRunning, maxWaiting } = this.#options;
    return this.#running >= maxRunning && this.#waiting.length >= maxWaiting;
  }

  /**
   * Runs a task when it is its turn, and settles as it does; or returns `null` at once, and never runs it, when the queue
   * is full. A task that fails makes room like any other.
   */
  run<T>(task: () => Promise<T>): Promise<T> | null {
    return this.isFull ? null : this.#runInTurn(task);
  }

  async #runInTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#options.maxRunning) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed over, not freed: no other task can take it in between.
      if (next !== undefined) next();
      else this.#running--;
    }
  }
}
