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

/** So many lines without an answer are kept in memory, to be sent again; then the input has to wait. */
export const MAX_UNANSWERED = 64;

/** A line is given up after so many connections have broken on it: it may be what breaks them. */
export const MAX_BREAKS = 5;

/** A queue of questions: answered in order, sent again together. */
export class Unanswered {
  readonly #questions: Question[] = [];
  #vacancy = Promise.withResolvers<void>();
  #addition = Promise.withResolvers<void>();

  /** How many there are. */
  get count(): number {
    return this.#questions.length;
  }

  /** The line that the next answer belongs to. */
  get oldest(): string | undefined {
    return this.#questions[0]?.text;
  }

  /** Whether another has to wait for {@linkcode Unanswered.vacancy}. */
  get isFull(): boolean {
    return this.#questions.length >= MAX_UNANSWERED;
  }

  /** Settles when the next question leaves the queue. */
  get vacancy(): Promise<void> {
    return this.#vacancy.promise;
  }

  /** Settles when the next question joins the queue. */
  get addition(): Promise<void> {
    return this.#addition.promise;
  }

  /** Puts a line at the end of the queue. */
  add(text: string): Question {
    const question = { text, sent: false, breaks: 0 };
    this.#questions.push(question);
    this.#addition.resolve();
    this.#addition = Promise.withResolvers();
    return question;
  }

  /** Takes the oldest line out: its answer is here. */
  answer(): void {
    if (this.#questions.shift() === undefined) return;
    this.#vacancy.resolve();
    this.#vacancy = Promise.withResolvers();
  }

  /**
   * Notes that a connection broke while the server owed the answer to the oldest line, and takes that line out after
   * {@linkcode MAX_BREAKS} of them. The lines behind it are not to blame: a server answers in order.
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
