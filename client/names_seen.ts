/**
 * The names that were met, and what Tab makes of a word.
 *
 * @module
 */

import { commandsOf } from "./chat_commands.ts";

/** So many names are remembered, the last ones met. */
const MAX_NAMES = 1000;

/** Remembers names, to complete them. */
export class NamesSeen {
  /** Whether the server has a chat, for the commands. */
  hasChat = true;
  readonly #names = new Set<string>();

  /** Remembers names; one with a space or a control character in it cannot be one. */
  add(...names: string[]): void {
    for (const name of names) {
      if (!/^[\p{L}\p{M}\p{Nd}_-]+$/u.test(name)) continue;
      this.#names.delete(name);
      this.#names.add(name);
    }
    for (const name of this.#names) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(name);
    }
  }

  /** Gives what the last word before the cursor may become: a command at the start, names elsewhere. */
  complete(beforeCursor: string): string[] {
    const word = beforeCursor.slice(beforeCursor.lastIndexOf(" ") + 1);
    if (beforeCursor.startsWith("/") && word === beforeCursor) {
      return commandsOf(this).map(([name]) => `/${name}`).filter((name) => name.startsWith(word));
    }
    if (word === "" && !/^\/msg +$/.test(beforeCursor)) return [];
    const start = word.toLowerCase();
    return [...this.#names].filter((name) => name.toLowerCase().startsWith(start)).sort();
  }
}
