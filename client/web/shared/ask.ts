/// <reference lib="dom" />
/**
 * A question to the user, in a dialog.
 *
 * @module
 */

import { button, element } from "./dom.ts";
import { texts } from "./texts.ts";

/** Asks a question with a button for each answer; gives the number of the answer, `undefined` for none. */
export function ask(question: string, answers: string[], text = ""): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const title = element("h2", "", question);
  title.id = "question";
  const buttons = answers.map((answer, i) => button(answer, i === 0 ? "main" : "", () => end(i)));
  const cancel = button(texts.cancel, "", () => end(undefined));
  const dialog = element(
    "dialog",
    "",
    title,
    ...(text === "" ? [] : [element("pre", "", text)]),
    element("div", "answers", ...buttons, cancel),
  );
  dialog.setAttribute("aria-labelledby", title.id);
  const end = (answer: number | undefined) => {
    resolve(answer);
    dialog.remove();
  };
  dialog.addEventListener("cancel", () => end(undefined));
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
