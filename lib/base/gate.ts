/**
 * A bound on costly work.
 *
 * @module
 */

/** Options for {@linkcode Gate}. */
export interface GateOptions {
  /** How many tasks may run at once. */
  maxRunning: number;
  /** How many more may wait for their turn. */
  maxWaiting: number;
}

/** Lets a few tasks run at a time, in the order they came, a bounded number wait, and the rest go. */
export class Gate {
  #maxRunning: number;
  #maxWaiting: number;
  #running = 0;
  #waiting: (() => void)[] = [];

  /**
   * Makes a gate with nothing in it.
   *
   * @param options Its bounds.
   */
  constructor(options: GateOptions) {
    this.#maxRunning = options.maxRunning;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Whether the next task would be turned away. */
  get isFull(): boolean {
    return this.#running >= this.#maxRunning && this.#waiting.length >= this.#maxWaiting;
  }

  /**
   * Runs a task when its turn comes and settles as it does; or gives `null` at once, and never runs
   * it, when the gate is full.
   *
   * @param task The work. A task that fails makes room like any other.
   */
  run<T>(task: () => Promise<T>): Promise<T> | null {
    return this.isFull ? null : this.#runInTurn(task);
  }

  async #runInTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed over, not freed: nobody can slip in between.
      if (next !== undefined) next();
      else this.#running--;
    }
  }
}
