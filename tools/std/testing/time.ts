/**
 * Time that a test moves by hand.
 *
 * @module
 */

/** Says that time is already fake, or is not. */
export class TimeError extends Error {
  /** Makes the error with its message. */
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

interface Timer {
  dueAt: number;
  /** Set for an interval. */
  everyMs?: number;
  run(): void;
}

type Callback = (...args: unknown[]) => void;

const real = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};
const realAbortSignalTimeout = AbortSignal.timeout;

let current: FakeTime | undefined;

/**
 * Replaces `Date`, the timers and `AbortSignal.timeout` until it is restored; time then moves only by `tick`, `next` and `now`.
 *
 * Timers run in the order in which they are due. One that throws stops time there. Restore it with `using` or `restore()`.
 */
export class FakeTime implements Disposable {
  readonly #start: number;
  readonly #timers = new Map<number, Timer>();
  #now: number;
  #lastId = 0;

  /**
   * Replaces time from now on, starting at `start`, by default the real time.
   *
   * @throws {TimeError} When time is already fake.
   * @throws {TypeError} When `start` is no time.
   */
  constructor(start?: number | string | Date | null) {
    if (current) throw new TimeError("Cannot construct FakeTime: time is already faked");
    this.#start = Math.floor(new real.Date(start ?? real.Date.now()).valueOf());
    if (Number.isNaN(this.#start)) {
      throw new TypeError("Cannot construct FakeTime: invalid start time NaN");
    }
    this.#now = this.#start;
    this.#replaceGlobals();
    current = this;
  }

  /** The fake time in milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Moves time forward and runs every timer due until then; a `RangeError` for a time in the past. */
  set now(value: number) {
    if (value < this.#now) {
      throw new RangeError(
        `Cannot set current time in the past, time must be >= ${this.#now}: received ${value}`,
      );
    }
    for (let due = this.#nextDue(); due && due[1].dueAt <= value; due = this.#nextDue()) {
      this.#run(...due);
    }
    this.#now = value;
  }

  /** The time it started at. */
  get start(): number {
    return this.#start;
  }

  /** Moves time forward by `ms` and runs every timer due until then. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Lets what is ready to go on do so, then does what `tick` does. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves time to the next timer and runs it; `false` when there is none. */
  next(): boolean {
    const due = this.#nextDue();
    if (due) this.now = due[1].dueAt;
    return due !== undefined;
  }

  /** Lets what is ready to go on do so, then does what `next` does. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Lets what is ready to go on do so: waits for one turn of the real event loop. */
  async runMicrotasks(): Promise<void> {
    await new Promise<void>((resolve) => real.setTimeout.call(null, resolve, 0));
  }

  /**
   * Brings real time back; timers that were waiting never run.
   *
   * @throws {TimeError} When it is already back.
   */
  restore(): void {
    if (current !== this) throw new TimeError("Cannot restore time: time is already restored");
    current = undefined;
    Object.assign(globalThis, real);
    AbortSignal.timeout = realAbortSignalTimeout;
  }

  /** Brings real time back. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #replaceGlobals(): void {
    const clear = (id?: unknown) => void this.#timers.delete(Number(id));
    Object.assign(globalThis, {
      Date: this.#fakeDate(),
      setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) =>
        this.#add({ dueAt: this.#now + wait(ms, 0), run: () => callback(...args) }),
      setInterval: (callback: Callback, ms = 0, ...args: unknown[]) => {
        const everyMs = wait(ms, 1);
        return this.#add({ dueAt: this.#now + everyMs, everyMs, run: () => callback(...args) });
      },
      clearTimeout: clear,
      clearInterval: clear,
    });
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      const reason = new DOMException("Signal timed out.", "TimeoutError");
      setTimeout(() => controller.abort(reason), ms);
      return controller.signal;
    };
  }

  #fakeDate(): DateConstructor {
    const now = () => this.#now;
    return new Proxy(real.Date, {
      construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args),
      apply: () => new real.Date(now()).toString(),
      get: (target, key) => key === "now" ? now : Reflect.get(target, key),
    });
  }

  #add(timer: Timer): number {
    this.#timers.set(++this.#lastId, timer);
    return this.#lastId;
  }

  /** The first of those that are due first: a `Map` keeps the order in which they were set. */
  #nextDue(): [id: number, timer: Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (first === undefined || entry[1].dueAt < first[1].dueAt) first = entry;
    }
    return first;
  }

  #run(id: number, timer: Timer): void {
    this.#now = timer.dueAt;
    this.#timers.delete(id);
    if (timer.everyMs !== undefined) {
      this.#timers.set(id, { ...timer, dueAt: timer.dueAt + timer.everyMs });
    }
    timer.run();
  }
}

function wait(ms: number, leastMs: number): number {
  return Math.max(leastMs, Math.floor(ms));
}
