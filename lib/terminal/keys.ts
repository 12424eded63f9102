/**
 * Turns what a terminal sends into keys.
 *
 * @module
 */

import type { Edit } from "./line_editor.ts";

/** One thing that a person did at the keyboard. */
export interface Key {
  /** Which: characters were typed, a block was pasted, or a key was pressed. */
  name: "text" | "paste" | "enter" | "tab" | "interrupt" | "deleteOrEnd" | "clear" | Edit;
  /** The characters that were typed or pasted; empty for other keys. */
  text: string;
}

/** What terminals send for each key: xterm's, rxvt's and the Linux console's spelling. */
const KEYS: Record<string, Key["name"]> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x03": "interrupt",
  "\x04": "deleteOrEnd",
  "\x0c": "clear",
  "\x01": "home",
  "\x1b[H": "home",
  "\x1bOH": "home",
  "\x1b[1~": "home",
  "\x1b[7~": "home",
  "\x05": "end",
  "\x1b[F": "end",
  "\x1bOF": "end",
  "\x1b[4~": "end",
  "\x1b[8~": "end",
  "\x02": "left",
  "\x1b[D": "left",
  "\x1bOD": "left",
  "\x06": "right",
  "\x1b[C": "right",
  "\x1bOC": "right",
  "\x10": "older",
  "\x1b[A": "older",
  "\x1bOA": "older",
  "\x0e": "newer",
  "\x1b[B": "newer",
  "\x1bOB": "newer",
  "\x1bb": "wordLeft",
  "\x1b[1;5D": "wordLeft",
  "\x1b[1;3D": "wordLeft",
  "\x1bf": "wordRight",
  "\x1b[1;5C": "wordRight",
  "\x1b[1;3C": "wordRight",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x1b[3~": "delete",
  "\x17": "deleteWordLeft",
  "\x1b\x7f": "deleteWordLeft",
  "\x1bd": "deleteWordRight",
  "\x15": "deleteToStart",
  "\x0b": "deleteToEnd",
};

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";
/** A paste whose end has not come after this much is taken as it is. */
const MAX_PASTE_CHARS = 1_048_576;

/** An escape sequence, a character typed with Alt, a control character, or a run of text. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const TOKEN = new RegExp(
  "\\x1b(?:\\[[0-?]*[ -/]*[@-~]|O[@-~]|[^[O\\x00-\\x1f])|[\\x00-\\x1a\\x7f]|[^\\x00-\\x1f\\x7f]+",
  "gu",
);
// deno-lint-ignore no-control-regex -- the escape character is what is looked for
const UNFINISHED = /\x1b(?:\[[0-?]*[ -/]*|O)?$/;

/**
 * Reads keys out of chunks of input, wherever the chunks were cut.
 *
 * A pasted block arrives as one key when the terminal marks it ("bracketed paste", `CSI ? 2004 h`).
 * Where it does not, a chunk with more text after an Enter counts as pasted: nobody types that fast.
 * Escape by itself waits for the next key, and then belongs to it, as in a shell.
 */
export class KeyDecoder {
  #held = "";

  /** Takes the next chunk and gives the keys that are complete. */
  push(chunk: string): Key[] {
    // Ctrl-C by itself must work while something unfinished is held, a paste that never ends say.
    const input = chunk === "\x03" ? chunk : this.#held + chunk;
    this.#held = "";
    return this.#decode(input);
  }

  #decode(input: string): Key[] {
    const start = input.indexOf(PASTE_START);
    if (start === -1) return this.#decodeTyped(input);
    const keys = this.#decodeTyped(input.slice(0, start));
    const text = start + PASTE_START.length;
    const end = input.indexOf(PASTE_END, text);
    if (end === -1 && input.length - text < MAX_PASTE_CHARS) {
      this.#held = input.slice(start);
      return keys;
    }
    keys.push({ name: "paste", text: input.slice(text, end === -1 ? undefined : end) });
    return end === -1 ? keys : keys.concat(this.#decode(input.slice(end + PASTE_END.length)));
  }

  #decodeTyped(input: string): Key[] {
    const unfinished = UNFINISHED.exec(input)?.[0] ?? "";
    this.#held = unfinished;
    const typed = input.slice(0, input.length - unfinished.length).replaceAll("\r\n", "\r");
    if (/[\r\n][^]*[^\s\p{Cc}]/u.test(typed) && !typed.includes("\x03")) {
      return [{ name: "paste", text: typed }];
    }
    return (typed.match(TOKEN) ?? []).flatMap(keyOf);
  }
}

function keyOf(token: string): Key[] {
  const name = Object.hasOwn(KEYS, token) ? KEYS[token] : undefined;
  if (name !== undefined) return [{ name, text: "" }];
  // A letter typed after Escape is still that letter; another unknown key does nothing.
  const [first, ...rest] = token;
  if (first === "\x1b" && rest.length === 1) return [{ name: "text", text: rest[0]! }];
  return /^\p{Cc}/u.test(token) ? [] : [{ name: "text", text: token }];
}
