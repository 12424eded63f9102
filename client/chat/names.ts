/**
 * The names of users: which ones were seen, who is here, and what Tab makes of a word.
 *
 * @module
 */

import { keyOfText, parseName } from "../../lib/chat/name.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";

/** The most names that are remembered. */
const MAX_NAMES = 1000;

/** Learns names from what the server sends. */
export class Names {
  readonly #known = new Map<string, string>(); // by their keys, the last one seen at the end
  #present: Set<string> | undefined; // keys; undefined until the server has sent the whole list

  /** Takes a message of the server. */
  take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#present = undefined;
        return;
      case "message":
        return this.#learn([message.from, message.to ?? ""]);
      case "joined":
        this.#learn([message.name]);
        if (this.#present && this.#present.size < MAX_NAMES) {
          this.#present.add(keyOfText(message.name));
        }
        return;
      case "left":
        this.#present?.delete(keyOfText(message.name));
        return;
      case "users": {
        const names = message.names.slice(0, MAX_NAMES);
        this.#learn(names);
        const isWhole = names.length === message.names.length && !message.more;
        this.#present = isWhole ? new Set(names.map(keyOfText)) : undefined;
      }
    }
  }

  /** Gives the name as it was seen, or as it was typed if it was not. */
  spellingOf(typed: string): string {
    return this.#known.get(keyOfText(typed)) ?? typed;
  }

  /** Whether a user is known to be away. */
  isAway(name: string): boolean {
    return this.#present !== undefined && !this.#present.has(keyOfText(name));
  }

  /** Gives what the last word before the cursor may become: one of the words at the start, names elsewhere. */
  complete(beforeCursor: string, commands: string[]): string[] {
    const word = beforeCursor.slice(beforeCursor.lastIndexOf(" ") + 1);
    if (beforeCursor.startsWith("/") && word === beforeCursor) {
      return commands.filter((name) => name.startsWith(word));
    }
    if (word === "" && !/^\/(msg|tell) +$/.test(beforeCursor)) return [];
    const start = word.toLowerCase();
    return [...this.#known.values()].filter((name) => name.toLowerCase().startsWith(start)).sort();
  }

  #learn(names: string[]): void {
    for (const text of names) {
      const parsed = parseName(text);
      if ("reason" in parsed) continue;
      this.#known.delete(parsed.key);
      this.#known.set(parsed.key, parsed.name);
    }
    for (const key of this.#known.keys()) {
      if (this.#known.size <= MAX_NAMES) break;
      this.#known.delete(key);
    }
  }
}
