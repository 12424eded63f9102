/**
 * Shows on standard error how far a benchmark is: a bar on a terminal, dots elsewhere.
 *
 * @module
 */
import { ProgressBar } from "@std/cli/unstable-progress-bar";

/** Counts the steps that are done. */
export class Progress implements AsyncDisposable {
  readonly #bar: ProgressBar | undefined;

  /** Begins at 0 of `steps`. */
  constructor(steps: number) {
    if (!Deno.stderr.isTerminal()) return;
    const formatter = ({ styledTime, progressBar, value, max }: {
      styledTime: string;
      progressBar: string;
      value: number;
      max: number;
    }) => `[${styledTime}] [${progressBar}] ${value}/${max}`;
    this.#bar = new ProgressBar({ max: steps, clear: true, interval: 200, formatter });
  }

  /** Tells that one more step is done. */
  step(): void {
    if (this.#bar) this.#bar.value++;
    else Deno.stderr.writeSync(new TextEncoder().encode("."));
  }

  /** Takes the bar away. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#bar) await this.#bar.stop();
    else Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  }
}
