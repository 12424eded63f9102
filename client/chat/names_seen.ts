/**
 * The names that were met, and what Tab makes of a word.
 *
 * @module
 */

import { parseName } from "../../lib/chat/name.ts";
import { commandsOf } from "./chat_commands.ts";

/** So many names are remembered, the last ones met. */
const MAX_NAMES = 1000;

/** Remembers names, to complete them and to spell them as their users do. */
export class NamesSeen {
  /** Whether the server has a chat, for the commands. */
  hasChat = true;
  readonly #names = new Map<string, string>(); // by their keys

  /** Remembers names; one with a space or a control character in it cannot be one. */
  add(...names: string[]): void {
    for (const text of names) {
      const parsed = parseName(text);
      if ("reason" in parsed) continue;
      this.#names.delete(parsed.key);
      this.#names.set(parsed.key, parsed.name);
    }
    for (const key of this.#names.keys()) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(key);
    }
  }

  /** Gives the name as it was met, or as it was typed if it was not. */
  spellingOf(typed: string): string {
    const parsed = parseName(typed);
    return ("key" in parsed ? this.#names.get(parsed.key) : undefined) ?? typed;
  }

  /** Gives what the last word before the cursor may become: a command at the start, names elsewhere. */
  complete(beforeCursor: string): string[] {
    const word = beforeCursor.slice(beforeCursor.lastIndexOf(" ") + 1);
    if (beforeCursor.startsWith("/") && word === beforeCursor) {
      return commandsOf(this).map(([name]) => `/${name}`).filter((name) => name.startsWith(word));
    }
    if (word === "" && !/^\/(msg|tell) +$/.test(beforeCursor)) return [];
    const start = word.toLowerCase();
    return [...this.#names.values()].filter((name) => name.toLowerCase().startsWith(start)).sort();
  }
}
