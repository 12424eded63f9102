/**
 * Turns what a terminal sends into keys.
 *
 * @module
 */

import type { Edit } from "./line_editor.ts";

/** One action at the keyboard. */
export interface Key {
  /** Which: characters were typed, a block was pasted, or a key was pressed. */
  name:
    | "text"
    | "paste"
    | "enter"
    | "tab"
    | "interrupt"
    | "suspend"
    | "deleteOrEnd"
    | "clear"
    | Edit;
  /** The characters that were typed or pasted; empty for other keys. */
  text: string;
}

/** What terminals send for each key: xterm, rxvt and the Linux console. */
const SEQUENCES: Partial<Record<Key["name"], string[]>> = {
  enter: ["\r", "\n"],
  tab: ["\t"],
  interrupt: ["\x03"],
  suspend: ["\x1a"],
  deleteOrEnd: ["\x04"],
  clear: ["\x0c"],
  home: ["\x01", "\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"],
  end: ["\x05", "\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"],
  left: ["\x02", "\x1b[D", "\x1bOD"],
  right: ["\x06", "\x1b[C", "\x1bOC"],
  older: ["\x10", "\x1b[A", "\x1bOA"],
  newer: ["\x0e", "\x1b[B", "\x1bOB"],
  wordLeft: ["\x1bb", "\x1b[1;5D", "\x1b[1;3D"],
  wordRight: ["\x1bf", "\x1b[1;5C", "\x1b[1;3C"],
  backspace: ["\x7f", "\b"],
  delete: ["\x1b[3~"],
  deleteWordLeft: ["\x17", "\x1b\x7f"],
  deleteWordRight: ["\x1bd"],
  deleteToStart: ["\x15"],
  deleteToEnd: ["\x0b"],
};

const KEYS = new Map(
  Object.entries(SEQUENCES).flatMap(([name, sequences]) =>
    sequences.map((sequence) => [sequence, name as Key["name"]])
  ),
);

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";
/** A terminal sends a key at once, hence what comes later than this after Escape is another key. */
const KEY_MS = 200;
/** An answer of the terminal to a query may come in parts over a slow link; all of it within this time. */
export const ANSWER_MS = 2000;
/** A paste of which nothing more comes for so long is shown as far as it has come. */
const PASTE_MS = 3000;
/** So is one of this length. */
const MAX_PASTE_CHARS = 1_048_576;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL_KEY = /^(?:[\x00-\x1f\x7f]|\x1b[^]{1,8})$/;

/** An escape sequence, with those of mouse clicks and the Linux console; a character typed with Alt, a control character, or a run of text. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const TOKEN = new RegExp(
  "\\x1b(?:\\[(?:M[^]{3}|\\[.|[0-?]*[ -/]*[@-~])|O[@-~]|[^[O\\x00-\\x1f])|[\\x00-\\x1a\\x7f]|[^\\x00-\\x1f\\x7f]+",
  "gu",
);
// deno-lint-ignore no-control-regex -- the escape character is what is looked for
const UNFINISHED = /\x1b(?:\[(?:M[^]{0,2}|\[|[0-?]*[ -/]*)|O)?$/;
/** The beginning of a control string: DCS, SOS, OSC, PM or APC (ECMA-48, 5.6). */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const STRING_START = /\x1b[PX\]^_]|[\x90\x98\x9d-\x9f]/;
/** Its end: ST, BEL, CAN or SUB; or another control character, which is no part of it. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const STRING_END = /\x1b\\|[\x07\x18\x1a\x9c]|(?=[\x00-\x1f\x7f])/;

/**
 * Reads keys out of chunks of input that may be cut anywhere.
 *
 * A pasted block is one key where the terminal marks it ("bracketed paste", `CSI ? 2004 h`). Until a terminal has done
 * so, a chunk with text after an Enter counts as pasted too. Control strings, such as late answers to queries of another
 * program, are dropped.
 */
export class KeyDecoder {
  #held = "";
  #isInString = false;
  #isAnswer = false; // of the terminal: the string has more than its beginning, which is a key with Alt too
  #marksPastes = false;
  #isPasteOpen = false; // a part of it was taken, and its end has not come

  /** How long to wait for the rest of a sequence before `expire`, in milliseconds: 0 when none is unfinished. */
  get waitMs(): number {
    if (this.#isInString) return this.#isAnswer ? ANSWER_MS : KEY_MS;
    if (this.#held === "") return 0;
    if (this.#held.startsWith(PASTE_START)) return PASTE_MS;
    return /[\d;?]/.test(this.#held) ? ANSWER_MS : KEY_MS;
  }

  /** Takes the next chunk and gives the keys that are complete. */
  push(chunk: string): Key[] {
    // Ctrl-C alone works in everything unfinished, a paste without an end for example.
    if (chunk === "\x03") this.#isInString = false;
    const input = chunk === "\x03" ? chunk : this.#held + chunk;
    this.#held = "";
    return this.#decode(input);
  }

  /** Drops a sequence that did not go on: what follows is typed. */
  expire(): Key[] {
    if (this.#held.startsWith(PASTE_START)) {
      return this.#decodePaste(this.#held.slice(PASTE_START.length));
    }
    const [, letter = "", ...rest] = this.#isInString ? "" : this.#held;
    this.#isInString = false;
    this.#held = "";
    return letter !== "" && rest.length === 0 ? [{ name: "text", text: letter }] : [];
  }

  #decode(input: string): Key[] {
    if (this.#isPasteOpen) return this.#decodeRest(input);
    const start = input.indexOf(PASTE_START);
    if (start === -1) return this.#decodeTyped(input);
    const keys = this.#decodeTyped(input.slice(0, start));
    this.#isInString = false;
    this.#marksPastes = true;
    const text = input.slice(start + PASTE_START.length);
    if (text.length < MAX_PASTE_CHARS && !text.includes(PASTE_END)) {
      this.#held = input.slice(start);
      return keys;
    }
    return keys.concat(this.#decodePaste(text));
  }

  /** The rest of an open paste: up to its end, or to the next paste or key, because the end does not come. */
  #decodeRest(input: string): Key[] {
    const [rest = ""] = input.split(PASTE_START, 1);
    if (rest !== input && !rest.includes(PASTE_END)) {
      this.#isPasteOpen = false;
      return pasted(rest).concat(this.#decode(input.slice(rest.length)));
    }
    if (!CONTROL_KEY.test(input)) return this.#decodePaste(input);
    this.#isPasteOpen = false;
    return this.#decodeTyped(input);
  }

  /** A paste up to its end, or as far as it has come: half an end mark waits for its other half. */
  #decodePaste(input: string): Key[] {
    const end = input.indexOf(PASTE_END);
    this.#isPasteOpen = end === -1;
    this.#held = end === -1 ? UNFINISHED.exec(input)?.[0] ?? "" : "";
    const text = input.slice(0, end === -1 ? input.length - this.#held.length : end);
    const keys = pasted(text);
    return end === -1 ? keys : keys.concat(this.#decode(input.slice(end + PASTE_END.length)));
  }

  #decodeTyped(input: string): Key[] {
    const typed = this.#withoutStrings(input);
    this.#held = UNFINISHED.exec(typed)?.[0] ?? "";
    const whole = typed.slice(0, typed.length - this.#held.length).replaceAll("\r\n", "\r");
    if (!this.#marksPastes && /[\r\n][^]*[^\s\p{Cc}]/u.test(whole) && !whole.includes("\x03")) {
      return [{ name: "paste", text: whole }];
    }
    return (whole.match(TOKEN) ?? []).flatMap(keyOf);
  }

  #withoutStrings(input: string): string {
    let typed = "";
    let rest = input;
    while (rest !== "") {
      const { index, 0: found } = (this.#isInString ? STRING_END : STRING_START).exec(rest) ??
        { index: rest.length, 0: "" };
      if (!this.#isInString) typed += rest.slice(0, index);
      else {
        this.#isAnswer ||= index > 0;
        // The second half of ST may be in the next chunk.
        if (rest.slice(index) === "\x1b") return typed + "\x1b";
      }
      if (index < rest.length) {
        this.#isInString = !this.#isInString;
        this.#isAnswer = false;
      }
      rest = rest.slice(index + found.length);
    }
    return typed;
  }
}

// deno-lint-ignore no-control-regex -- Ctrl-C is what is looked for
const LINE_TOKEN = /[\r\n\x03]|[^\r\n\x03]+/g;

/** Reads keys from a terminal that edits lines itself. */
export function decodeLines(text: string): Key[] {
  return (text.replaceAll("\r\n", "\n").match(LINE_TOKEN) ?? []).map((token) =>
    token === "\x03"
      ? { name: "interrupt", text: "" }
      : /[\r\n]/.test(token)
      ? { name: "enter", text: "" }
      : { name: "text", text: token }
  );
}

function pasted(text: string): Key[] {
  return text === "" ? [] : [{ name: "paste", text }];
}

function keyOf(token: string): Key[] {
  const name = KEYS.get(token);
  if (name !== undefined) return [{ name, text: "" }];
  // A letter typed with Alt is that letter; another unknown key does nothing.
  const [first, ...rest] = token;
  if (first === "\x1b" && rest.length === 1) return [{ name: "text", text: rest[0]! }];
  return /^\p{Cc}/u.test(token) ? [] : [{ name: "text", text: token }];
}
