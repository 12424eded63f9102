/**
 * Costly work, a little in each turn of the event loop.
 *
 * @module
 */

// So much of a turn is spent, and the piece that exceeds it is finished.
const SHARE_MS = 2;

/**
 * Does pieces of work, first come, first served, about 2 ms in each turn: however many ask for much of it, everybody
 * else is served in between. Its own callers wait the longer.
 */
export class TurnShare {
  readonly #waiting: (() => void)[] = [];

  /** Does `work` when it is its turn, and settles as that does. What a promise of it still waits for delays nobody. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
    if (this.#waiting.length === 1) setTimeout(this.#spend);
    return promise;
  }

  #spend = (): void => {
    const until = performance.now() + SHARE_MS;
    // The piece at work stays in the queue, so that whoever adds one meanwhile does not begin a second share.
    do {
      this.#waiting[0]!();
      this.#waiting.shift();
    } while (this.#waiting.length > 0 && performance.now() < until);
    // Not by setImmediate: a loop that is never idle looks for what sockets have received in every 61st turn only (tokio,
    // `event_interval`). A timer leaves it idle for a millisecond.
    if (this.#waiting.length > 0) setTimeout(this.#spend);
  };
}
