/**
 * Costly work, a little in each turn of the event loop.
 *
 * @module
 */

// The last task of a turn is finished, so a turn may take longer.
const SHARE_MS = 2;

/**
 * Runs tasks in the order they came, for about 2 ms in each turn of the event loop. However many tasks wait, all other
 * work continues in between; the tasks wait longer.
 */
export class TurnShare {
  readonly #waiting: (() => void)[] = [];

  /** Runs a task in its turn, and settles with its result. */
  run<T>(task: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(() => {
      try {
        resolve(task());
      } catch (error) {
        reject(error);
      }
    });
    if (this.#waiting.length === 1) setTimeout(this.#spend);
    return promise;
  }

  #spend = (): void => {
    const until = performance.now() + SHARE_MS;
    // The running task stays in the queue, so that a task that it adds does not begin a second share.
    do {
      this.#waiting[0]!();
      this.#waiting.shift();
    } while (this.#waiting.length > 0 && performance.now() < until);
    // Not by setImmediate: a loop that is never idle looks for what sockets have received in every 61st turn only (tokio,
    // `event_interval`). A timer leaves it idle for a millisecond.
    if (this.#waiting.length > 0) setTimeout(this.#spend);
  };
}
