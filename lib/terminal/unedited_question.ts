/**
 * Questions at a terminal that edits lines itself: one that is dumb, or whose screen is redirected.
 *
 * @module
 */

import type { LineDialog } from "./line_dialog.ts";
import type { Question } from "./question.ts";
import type { Keyboard } from "./terminal_input.ts";
import { escapeAllButColors } from "./text_layout.ts";

/** What a question is asked with. */
export interface QuestionParts {
  /** Where the question is shown. */
  place: { write(text: string): unknown };
  /** Where the answer is typed. */
  keyboard: Keyboard;
  /** Reads the answer. */
  dialog: LineDialog;
}

/** Asks until the answer counts; `null` at the end of the input or at Ctrl-C. */
export async function askUnedited(
  { prompt, hidden, hintOn }: Question,
  { place, keyboard, dialog }: QuestionParts,
): Promise<string | null> {
  for (;;) {
    place.write(escapeAllButColors(prompt));
    // To hide an answer, the echo is turned off.
    if (hidden) keyboard.setRaw(true);
    const answer = await dialog.ask({ prompt, ...(hidden && { hidden }) });
    if (hidden) keyboard.setRaw(false);
    const hint = answer === null ? undefined : hintOn?.(answer);
    if (hidden) place.write("\n");
    if (hint === undefined) return answer;
    place.write(`${hint}\n`);
  }
}
