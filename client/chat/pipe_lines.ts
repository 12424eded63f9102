/**
 * Lines of a pipe, whose end is known before they can all be worked on.
 *
 * @module
 */

/** What becomes of a pipe's lines. */
export interface PipeLinesOptions {
  /** Settles when the next line can be taken. */
  turn(): Promise<void>;
  /** Takes a line. */
  take(line: string): void;
  /** Whether nothing more is to be read while so many lines wait for their turn. */
  isFull(waiting: number): boolean;
}

/** Reads lines, and has each taken when it is its turn. */
export class PipeLines {
  readonly #options: PipeLinesOptions;
  #taken: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Reads nothing yet. */
  constructor(options: PipeLinesOptions) {
    this.#options = options;
  }

  /** How many lines wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Settles when every line that was read is taken. */
  get taken(): Promise<void> {
    return this.#taken;
  }

  /** Reads to the end. Rejects as the lines do; what a turn throws, `taken` rejects with. */
  async read(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      this.#waiting++;
      this.#taken = this.#taken.then(() => this.#take(line));
      this.#taken.catch(() => {}); // It is told to who awaits `taken`.
      if (this.#options.isFull(this.#waiting)) await this.#taken;
    }
  }

  async #take(line: string): Promise<void> {
    await this.#options.turn();
    this.#waiting--;
    this.#options.take(line);
  }
}
