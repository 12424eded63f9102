/// <reference lib="dom" />
/**
 * Elements of a page: found by id, and made without markup.
 *
 * @module
 */

/**
 * Gives the element with an id.
 *
 * @throws {TypeError} If the page has none, or one of another type.
 */
export function byId(id: string): HTMLElement;
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
