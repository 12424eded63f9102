/// <reference lib="dom" />
/**
 * How many messages the user has not seen: on the button to the newest one, and in the title of the page.
 *
 * @module
 */

import { button, byId } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";

/** Counts messages that are not seen. */
export class Unread {
  readonly #button: HTMLButtonElement;
  #count = 0;

  /** Puts the button into the page; `onClick` goes to the newest message. */
  constructor(onClick: () => void) {
    this.#button = button("", "newer", onClick);
    byId("messages").append(this.#button);
    this.show({ atEnd: true });
  }

  /** Counts one. */
  add(): void {
    this.#set(this.#count + 1);
  }

  /** Everything is seen. */
  clear(): void {
    if (this.#count > 0) this.#set(0);
  }

  /** Shows the button unless the user is at the end. */
  show({ atEnd }: { atEnd: boolean }): void {
    this.#button.hidden = atEnd;
    this.#button.textContent = this.#count > 0 ? texts.newMessages(this.#count) : texts.toNewest;
  }

  #set(count: number): void {
    this.#count = count;
    document.title = count > 0 ? `(${count}) ${texts.chat}` : texts.chat;
    this.show({ atEnd: this.#button.hidden === true });
  }
}
