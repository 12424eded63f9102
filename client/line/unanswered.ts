/**
 * The lines that were sent, or wait to be sent, and have no answer yet.
 *
 * @module
 */

/** A line without an answer. */
export interface Question {
  /** The line. */
  readonly text: string;
  /** Whether it was sent on any connection. */
  sent: boolean;
  /** How many connections broke while it was the next to be answered. */
  breaks: number;
}

/** The most lines without an answer that are kept in memory, to be sent again; then the input has to wait. */
export const MAX_UNANSWERED = 64;

/** A line is given up after this many connections have broken on it: it may be the cause. */
export const MAX_BREAKS = 5;

/** A queue of lines: answered in order, sent again together. */
export class Unanswered {
  readonly #questions: Question[] = [];
  #changed = Promise.withResolvers<void>();

  /** How many there are. */
  get count(): number {
    return this.#questions.length;
  }

  /** The line that the next answer belongs to. */
  get oldest(): string | undefined {
    return this.#questions[0]?.text;
  }

  /** Whether another line has to wait. */
  get isFull(): boolean {
    return this.#questions.length >= MAX_UNANSWERED;
  }

  /** Settles when a line joins or leaves the queue, or at `wake`. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Puts a line at the end of the queue. */
  add(text: string): Question {
    const question = { text, sent: false, breaks: 0 };
    this.#questions.push(question);
    this.wake();
    return question;
  }

  /** Takes the oldest line out: its answer is here. */
  answer(): void {
    if (this.#questions.shift() !== undefined) this.wake();
  }

  /** Settles `changed`. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /**
   * Notes that a connection broke while the server owed the answer to the oldest line, and takes that line out after
   * {@linkcode MAX_BREAKS} of them. The lines behind it are not the cause: a server answers in order.
   *
   * @returns Whether the line was taken out.
   */
  blameOldest(): boolean {
    const oldest = this.#questions[0];
    if (oldest === undefined || ++oldest.breaks < MAX_BREAKS) return false;
    this.answer();
    return true;
  }

  /** The lines, oldest first. */
  [Symbol.iterator](): Iterator<Question> {
    return this.#questions.values();
  }
}
