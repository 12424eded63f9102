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
  /** How many connections broke while it waited for its answer. */
  breaks: number;
}

/** So many lines without an answer are kept in memory, to be sent again; then the input has to wait. */
export const MAX_UNANSWERED = 64;

/** A line that has seen this many connections break is given up: it may be what breaks them. */
export const MAX_BREAKS = 5;

/** A queue of questions: answered in order, sent again together. */
export class Unanswered {
  #questions: Question[] = [];
  #vacancy = Promise.withResolvers<void>();

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

  /** Puts a line at the end of the queue. */
  add(text: string): Question {
    const question = { text, sent: false, breaks: 0 };
    this.#questions.push(question);
    return question;
  }

  /** Takes the oldest line out: its answer is here. */
  answer(): void {
    this.#keep(this.#questions.slice(1));
  }

  /** Notes that a connection broke, takes the lines out that have seen {@linkcode MAX_BREAKS}, and tells how many those are. */
  connectionBroke(): number {
    for (const question of this.#questions) question.breaks += question.sent ? 1 : 0;
    const before = this.count;
    this.#keep(this.#questions.filter(({ breaks }) => breaks < MAX_BREAKS));
    return before - this.count;
  }

  /** The lines, oldest first. */
  [Symbol.iterator](): Iterator<Question> {
    return this.#questions.values();
  }

  #keep(questions: Question[]): void {
    if (questions.length === this.#questions.length) return;
    this.#questions = questions;
    this.#vacancy.resolve();
    this.#vacancy = Promise.withResolvers();
  }
}
