/// <reference lib="dom" />
/**
 * Elements of a page: found by id, and made without markup; and a question in a dialog.
 *
 * @module
 */

import { texts } from "./texts.ts";

/**
 * Gives the element with an id.
 *
 * @throws {TypeError} If the page has none, or one of another type.
 */
export function byId(id: string): HTMLElement;
/** Gives the element with an id, which must be of a type. */
export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T;
export function byId(id: string, type: abstract new () => HTMLElement = HTMLElement): HTMLElement {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`Cannot find the element ${id}`);
  return element;
}

/** Makes an element with classes and children; strings become text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  classes: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (classes !== "") made.className = classes;
  made.append(...children);
  return made;
}

/** Makes a button that does not submit a form. */
export function button(label: string, classes: string, onClick: () => void): HTMLButtonElement {
  const made = element("button", classes, label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

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
