/**
 * Questions: with a default, and again with the reason after a bad answer.
 *
 * @module
 */

import { parseHost, parsePort } from "../base/endpoint.ts";

/** One question; keys are its answer until Enter. */
export interface Question {
  /** What stands before the answer. */
  prompt: string;
  /** Whether the answer must not be seen. @default {false} */
  hidden?: boolean;
  /** What to answer, for an answer that does not count; such an answer is asked for again, and none can be pasted. */
  hintOn?(answer: string): string | undefined;
}

/** Where questions are asked: a terminal, or a test. */
export interface Asker {
  /** Shows the prompt and gives the line typed after it, or `null` at the end of input. */
  line(prompt: string): Promise<string | null>;
  /** Shows a line. */
  tell(text: string): void;
}

/** What {@linkcode question} asks for. */
export interface QuestionOptions<T> {
  /** Where to ask. */
  asker: Asker;
  /** What Enter and the end of input answer; the prompt shows it. */
  default: T;
  /** Makes the answer, or throws a RangeError or TypeError whose message says what to type instead. */
  parse(text: string): T | Promise<T>;
}

/**
 * Asks, as in `Port [9090]: `, until the answer is a good one.
 *
 * Enter takes the default, and so does the end of input. After an answer that `parse` refuses, the reason is
 * shown and the question asked again.
 */
export async function question<T>(text: string, options: QuestionOptions<T>): Promise<T> {
  const { asker, parse } = options;
  for (;;) {
    const answer = await asker.line(`${text} [${options.default}]: `);
    if (answer === null || answer === "") return options.default;
    try {
      return await parse(answer);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      asker.tell(error.message);
    }
  }
}

/** Options of {@linkcode askHost}. */
export interface AskHostOptions {
  /**
   * What Enter and the end of input answer.
   * @default {"127.0.0.1"}
   */
  default?: string;
  /** Throws a RangeError or TypeError where there is no such host, or it is not to be used. */
  check?(host: string): void | Promise<void>;
}

/** Asks for a host, by the rules of {@linkcode parseHost} and of the check. */
export function askHost(asker: Asker, options: AskHostOptions = {}): Promise<string> {
  const parse = async (text: string) => {
    const host = parseHost(text);
    await options.check?.(host);
    return host;
  };
  return question("Host", { asker, default: options.default ?? "127.0.0.1", parse });
}

/** Asks for a port, by the rules of {@linkcode parsePort}. */
export function askPort(asker: Asker, defaultPort = 9090): Promise<number> {
  return question("Port", { asker, default: defaultPort, parse: (text) => parsePort(text) });
}

// The letters of the same keys in the Russian layout count too, except that its y is the first letter of no.
const YES = /^(?:y|yes|д|да|нуы)$/i;
const NO = /^(?:|n|no|н|нет|т|тщ)$/i;

/** Reads the answer to a question of yes or no; Enter is no. `undefined` for any other text. */
export function yesOrNo(answer: string): boolean | undefined {
  const word = answer.trim();
  return YES.test(word) ? true : NO.test(word) ? false : undefined;
}
