/// <reference lib="dom" />
/**
 * Who is here: a list of buttons that begin a private message.
 *
 * @module
 */

import { isSameName, keyOfText } from "../../../lib/chat/name.ts";
import { MAX_USERS, type ServerMessage } from "../../../lib/chat/protocol.ts";
import { safeText } from "../../../lib/base/escape.ts";
import { button, byId, element } from "../shared/dom.ts";
import { language, texts } from "../shared/texts.ts";
import { hueOf } from "./message_row.ts";

const ORDER = new Intl.Collator(language, { sensitivity: "base" });

/** Shows who is here, as the server tells. */
export class People {
  readonly #list = byId("people-list");
  readonly #panel = byId("people");
  readonly #toggle = byId("people-toggle", HTMLButtonElement);
  readonly #onName: (name: string) => void;
  #own = "";
  #names = new Map<string, string>(); // by their keys
  #more = 0;
  #mustShow = false;

  /** Takes what is called when a name is clicked. */
  constructor(onName: (name: string) => void) {
    this.#onName = onName;
    this.#toggle.addEventListener("click", () => this.#open(this.#panel.dataset["open"] !== "yes"));
    addEventListener("pointerdown", ({ target }) => {
      const isInside = [this.#panel, this.#toggle].some((each) => each.contains(target as Node));
      if (!isInside) this.#open(false);
    });
    addEventListener("keydown", ({ key }) => key === "Escape" && this.#open(false));
    this.#show();
  }

  /** The names, as `/who` shows them. */
  get names(): string[] {
    return [...this.#names.values()].sort(ORDER.compare);
  }

  /** Whether a user is known to be away. */
  isAway(name: string): boolean {
    return this.#more === 0 && !this.#names.has(keyOfText(name));
  }

  /** Gives the name as it is spelled here, or as it was typed. */
  spellingOf(typed: string): string {
    return this.#names.get(keyOfText(typed)) ?? typed;
  }

  /** Begins anew: only the user is known to be here. */
  enter(own: string): void {
    this.#own = own;
    this.#set([own], 0);
  }

  /** Takes a message of the server about who is here. */
  take(message: ServerMessage & { type: "users" | "joined" | "left" }): void {
    if (message.type === "users") return this.#set(message.names, message.more ?? 0);
    const key = keyOf(message.name);
    if (message.type === "left") this.#names.delete(key);
    else if (this.#names.size < MAX_USERS) this.#names.set(key, message.name);
    this.#changed();
  }

  #set(names: string[], more: number): void {
    const known = names.slice(0, MAX_USERS);
    this.#names = new Map(known.map((name) => [keyOf(name), name]));
    this.#more = more + names.length - known.length;
    this.#changed();
  }

  /** Many changes at once are shown once. */
  #changed(): void {
    if (this.#mustShow) return;
    this.#mustShow = true;
    setTimeout(() => this.#show());
  }

  #show(): void {
    this.#mustShow = false;
    const items = this.names.map((name) => this.#item(name));
    if (this.#more > 0) items.push(element("li", "more", texts.morePeople(this.#more)));
    const focused = document.activeElement?.closest<HTMLElement>("#people-list button")?.title;
    this.#list.replaceChildren(...items);
    if (focused !== undefined) {
      const buttons = [...this.#list.querySelectorAll("button")];
      (buttons.find(({ title }) => title === focused) ?? this.#toggle).focus();
    }
    this.#toggle.textContent = texts.showPeople(this.#names.size + this.#more);
  }

  #item(name: string): HTMLElement {
    const label = element("bdi", "", safeText(name));
    if (isSameName(name, this.#own)) {
      return element("li", "me", label, element("span", "note", ` (${texts.you})`));
    }
    const person = button("", `person hue-${hueOf(name)}`, () => {
      this.#open(false);
      this.#onName(name);
    });
    person.append(label);
    person.title = texts.writeTo(safeText(name));
    return element("li", "", person);
  }

  /** Only a narrow page hides the list. */
  #open(isOpen: boolean): void {
    this.#panel.dataset["open"] = isOpen ? "yes" : "no";
    this.#toggle.setAttribute("aria-expanded", `${isOpen}`);
  }
}

/** The key of a name; a text of a hostile server that is no name is its own key. */
function keyOf(name: string): string {
  return keyOfText(name) || name;
}
