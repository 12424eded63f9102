/**
 * One line of text while it is edited.
 *
 * @module
 */

import { graphemes } from "./text_layout.ts";

/** The longest line that can be edited: a longer one would be slow to draw at every key. */
export const MAX_LINE_CHARS = 16_384;
const MAX_HISTORY_LINES = 500;

/** A key that moves the cursor. */
export type Move = "left" | "right" | "wordLeft" | "wordRight" | "home" | "end";
/** A key that deletes. */
export type Deletion =
  | "backspace"
  | "delete"
  | "deleteWordLeft"
  | "deleteWordRight"
  | "deleteToStart"
  | "deleteToEnd";
/** What an editing key does; the last two show lines entered before. */
export type Edit = Move | Deletion | "older" | "newer";

/** Where an editing key moves to, or deletes to. */
type Motion = (text: string, at: number) => number;

const left: Motion = (text, at) => at === 0 ? 0 : graphemes.segment(text).containing(at - 1)!.index;
const right: Motion = (text, at) => {
  const next = graphemes.segment(text).containing(at);
  return next === undefined ? at : next.index + next.segment.length;
};
const wordLeft: Motion = (text, at) => text.slice(0, at).trimEnd().lastIndexOf(" ") + 1;
const wordRight: Motion = (text, at) => {
  const rest = text.slice(at);
  const end = rest.indexOf(" ", rest.length - rest.trimStart().length);
  return end === -1 ? text.length : at + end;
};
const home: Motion = () => 0;
const end: Motion = (text) => text.length;

const MOVES: Record<Move, Motion> = { left, right, wordLeft, wordRight, home, end };
/** Each deletes from the cursor to where its motion leads. */
const DELETIONS: Record<Deletion, Motion> = {
  backspace: left,
  delete: right,
  deleteWordLeft: wordLeft,
  deleteWordRight: wordRight,
  deleteToStart: home,
  deleteToEnd: end,
};

/**
 * Holds a line, its cursor, and the lines entered before it.
 *
 * Moves and deletes by user-perceived characters: an emoji of several code points, or a letter with its accents, is
 * one step.
 */
export class LineEditor {
  #text = "";
  #cursor = 0;
  #history: string[] = [];
  #shown = 0; // an index into the history; its length stands for the new line
  #draft = "";

  /** The line as typed so far. */
  get text(): string {
    return this.#text;
  }

  /** Where the next character goes: an index into `text`. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Inserts a text at the cursor, without its control characters; `false` if the line would get too long. */
  insert(text: string): boolean {
    const clean = withoutControls(text);
    if (this.#text.length + clean.length > MAX_LINE_CHARS) return false;
    this.#splice(this.#cursor, this.#cursor, clean);
    return true;
  }

  /** Carries out an editing key. */
  apply(edit: Edit): void {
    if (edit === "older" || edit === "newer") return this.#browse(edit === "older" ? -1 : 1);
    if (edit in MOVES) {
      this.#cursor = MOVES[edit as Move](this.#text, this.#cursor);
    } else {
      const to = DELETIONS[edit as Deletion](this.#text, this.#cursor);
      this.#splice(Math.min(to, this.#cursor), Math.max(to, this.#cursor), "");
    }
  }

  /** Completes the word before the cursor with the only candidate, or as far as all agree; `false` if nothing changes. */
  complete(candidates: readonly string[]): boolean {
    const from = this.#text.slice(0, this.#cursor).lastIndexOf(" ") + 1;
    const word = this.#text.slice(from, this.#cursor);
    const [only] = candidates;
    const whole = candidates.length === 1 && only !== undefined;
    const completed = whole ? `${only.trimEnd()} ` : commonStart(candidates);
    if (!whole && completed.length <= word.length || completed === word) return false;
    this.#splice(from, this.#cursor, completed);
    return true;
  }

  /** Gives the line, remembers it for `older`, and starts an empty one. */
  take(): string {
    const line = this.#text;
    if (line.trim() !== "" && line !== this.#history.at(-1)) this.#history.push(line);
    if (this.#history.length > MAX_HISTORY_LINES) this.#history.shift();
    this.#shown = this.#history.length;
    this.#show("");
    return line;
  }

  /** Replaces the line by another, without its control characters. */
  replace(text: string): void {
    this.#show(withoutControls(text).slice(0, MAX_LINE_CHARS));
  }

  #browse(step: -1 | 1): void {
    const next = this.#shown + step;
    if (next < 0 || next > this.#history.length) return;
    if (this.#shown === this.#history.length) this.#draft = this.#text;
    this.#shown = next;
    this.#show(this.#history[next] ?? this.#draft);
  }

  #show(text: string): void {
    this.#text = text;
    this.#cursor = text.length;
  }

  #splice(from: number, to: number, text: string): void {
    this.#text = this.#text.slice(0, from) + text + this.#text.slice(to);
    this.#cursor = from + text.length;
  }
}

/** Gives a text that can stand in one line: a tab as spaces, other control characters left out. */
export function withoutControls(text: string): string {
  return text.toWellFormed().replaceAll("\t", "    ").replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "");
}

function commonStart(words: readonly string[]): string {
  const chars = [...words[0] ?? ""];
  const differs = (char: string, i: number) => words.some((word) => [...word][i] !== char);
  const end = chars.findIndex(differs);
  return end === -1 ? chars.join("") : chars.slice(0, end).join("");
}
