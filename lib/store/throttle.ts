/** Options for {@linkcode Throttle}. */
export interface ThrottleOptions {
  /** How many attempts may fail before the next must wait, for people who mistype. */
  freeFailures: number;
  /**
   * How many keys are remembered; beyond it, the one unused for longest is forgotten.
   *
   * @default {10_000}
   */
  maxKeys?: number;
}

const FIRST_DELAY_MS = 1_000;
/** The longest delay. It is also the time in which one failure is forgotten. */
const MAX_DELAY_MS = 30_000;
/** Failures beyond the free ones until the longest delay; counting further would only make forgetting slower. */
const DOUBLINGS = Math.ceil(Math.log2(MAX_DELAY_MS / FIRST_DELAY_MS));
/** How many clients may have a place in the queue of one key. */
const MAX_QUEUED = 32;

interface Failures {
  /** How many were not forgotten at `forgottenAt`. */
  count: number;
  /** When the last of them began: the delay counts from there. */
  lastAt: number;
  /** When one was forgotten last, or the first began: the next is forgotten a fixed time later, whatever is tried. */
  forgottenAt: number;
  /** The clients that were told to wait, in the order of their turns, with the time when they should come. */
  queue: Map<string, number>;
}

/**
 * Counts failed attempts by key (a name, an address) and gives how long the next must wait: nothing
 * for the first few, then one second, two, four, up to 30.
 *
 * - **Counted at the start.** An attempt is a failure from the moment it begins until it is taken
 *   back, so a hundred guesses sent at once are slowed as if sent in turn.
 * - **No lock-out.** An attempt that is refused is not counted: no client is told to wait for longer than 30 s, whatever
 *   the others do.
 * - **In turn.** A client that was told to wait has a place in a queue. It finds its turn free if it comes when it was
 *   told to, and for one delay longer, however often others ask in between. A queue has 32 places.
 * - **Bounded.** One failure is forgotten every 30 s, and memory is limited.
 */
export class Throttle {
  #freeFailures: number;
  #maxKeys: number;
  #failures = new Map<string, Failures>();

  /** Makes a throttle that has seen no failure. */
  constructor(options: ThrottleOptions) {
    this.#freeFailures = options.freeFailures;
    this.#maxKeys = options.maxKeys ?? 10_000;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#failures.size;
  }

  /**
   * How many whole milliseconds a client's attempt must still wait; 0 when it may begin.
   *
   * @param key What is tried.
   * @param client Who tries; each has one place in the queue.
   */
  waitMs(key: string, client: string): number {
    // Failures that should be forgotten by now make no difference: no delay is longer than forgetting takes.
    const failures = this.#failures.get(key);
    const delayMs = this.#delayMs(failures);
    if (failures === undefined || delayMs === 0) return 0;
    const { queue, lastAt } = failures;
    const now = performance.now();
    for (const [other, dueAt] of queue) if (now > dueAt + MAX_DELAY_MS) queue.delete(other);
    const place = queue.has(client) ? [...queue.keys()].indexOf(client) : queue.size;
    const waitMs = delayMs * (place + 1) - Math.max(0, now - lastAt);
    return Math.min(MAX_DELAY_MS, Math.max(0, Math.ceil(waitMs)));
  }

  /** Keeps a client's place in the queue, or gives it one, until it should come again. */
  enqueue(key: string, client: string, waitMs: number): void {
    const failures = this.#failures.get(key);
    if (failures === undefined || this.#delayMs(failures) === 0) return;
    if (!failures.queue.has(client) && failures.queue.size >= MAX_QUEUED) return;
    failures.queue.set(client, performance.now() + waitMs);
  }

  /** Counts an attempt that begins now as failed, and gives up the client's place. */
  begin(key: string, client: string): void {
    const now = performance.now();
    const failures = this.#remembered(key) ?? { count: 0, forgottenAt: now, queue: new Map() };
    failures.queue.delete(client);
    const count = Math.min(failures.count + 1, this.#freeFailures + DOUBLINGS);
    this.#failures.delete(key); // So that the map stays in the order of last use.
    this.#failures.set(key, { ...failures, count, lastAt: now });
    this.#forgetOldest();
  }

  /** Takes one attempt back: it did not fail after all. */
  takeBack(key: string): void {
    const failures = this.#failures.get(key);
    if (failures !== undefined) failures.count = Math.max(0, failures.count - 1);
  }

  /** Forgets all failures of a key. */
  reset(key: string): void {
    this.#failures.delete(key);
  }

  #delayMs({ count }: { count: number } = { count: 0 }): number {
    if (count < this.#freeFailures || count === 0) return 0;
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - this.#freeFailures));
  }

  /** The failures of a key that are not forgotten yet. */
  #remembered(key: string): Failures | undefined {
    const failures = this.#failures.get(key);
    if (!failures) return undefined;
    const elapsedMs = Math.max(0, performance.now() - failures.forgottenAt);
    const forgotten = Math.floor(elapsedMs / MAX_DELAY_MS);
    if (forgotten >= failures.count) return undefined;
    const forgottenAt = failures.forgottenAt + forgotten * MAX_DELAY_MS;
    return { ...failures, count: failures.count - forgotten, forgottenAt };
  }

  #forgetOldest(): void {
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= this.#maxKeys && this.#remembered(key)) return;
      this.#failures.delete(key);
    }
  }
}
