/**
 * Notices that nothing happens, without reading a clock for every byte.
 *
 * @module
 */

const TICKS = 4;
// A longer delay than a timer can have would be none at all.
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Calls `onIdle` when nothing was noted for `timeoutMs` while somebody waits; up to a quarter later, never earlier. */
export class IdleTimer implements Disposable {
  /** Whether the time has run out. Stays so until the next `note` or `start`. */
  expired = false;
  readonly #interval: ReturnType<typeof setInterval>;
  #waiting = false;
  #quietTicks = 0;

  /** Starts ticking; `Symbol.dispose` ends it. It does not keep the process alive. */
  constructor(timeoutMs: number, onIdle: () => void) {
    this.#interval = setInterval(() => {
      // The first tick may come at once after a note, so it takes one tick more than fit into the timeout.
      if (!this.#waiting || ++this.#quietTicks <= TICKS) return;
      this.expired = true;
      onIdle();
    }, Math.min(timeoutMs / TICKS, MAX_DELAY_MS));
    Deno.unrefTimer(this.#interval);
  }

  /** Somebody begins to wait. */
  start(): void {
    this.#waiting = true;
    this.note();
  }

  /** Something happened: the time begins anew. */
  note(): void {
    this.#quietTicks = 0;
    this.expired = false;
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#waiting = false;
  }

  /** Ends the ticking. */
  [Symbol.dispose](): void {
    clearInterval(this.#interval);
  }
}
