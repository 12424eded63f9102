/**
 * Breaks text into the rows of a terminal.
 *
 * @module
 */

import { escapeControl } from "../base/escape.ts";

/** Splits a text into user-perceived characters. */
export const graphemes: Intl.Segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Zero cells: marks and joiners (not the soft hyphen), Hangul vowels and finals. */
const ZERO_WIDTH = /^(?!\xad)[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff]$/u;

/** Two cells: East Asian Width W and F (Unicode Standard Annex 11), in runs. */
const WIDE = new RegExp(
  "^[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u4dbf\\u4e00-\\ua4cf\\ua960-\\ua97f" +
    "\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6" +
    "\\u{16fe0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]$",
  "u",
);

/** One picture: an emoji by itself, by U+FE0F, or joined from several. */
const EMOJI = /^\p{Emoji_Presentation}|^\p{Emoji}.*[\ufe0f\u200d]|^\p{RI}\p{RI}/su;

/** Shown in two cells by some terminals and in one by others: symbols, private and unassigned characters. */
const AMBIGUOUS = /^[\p{Emoji}\p{So}\p{Cn}\p{Co}]$/u;

/**
 * The cells that one grapheme fills: 0, 1 or 2, rarely more.
 *
 * Terminals differ about joined emoji and new scripts; this follows those that show one picture in two cells.
 */
export function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && grapheme >= " " && grapheme <= "~") return 1;
  if (EMOJI.test(grapheme)) return 2;
  let width = 0;
  for (const char of grapheme) {
    width += ZERO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  }
  return width;
}

/** Printable ASCII, and Latin, Greek, Cyrillic and Armenian letters without combining marks. */
const ONE_CELL_EACH = /^[ -~\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f]*$/;

/** A character with what joins it: `Intl.Segmenter` takes seconds for a long text. */
const CLUSTER = /.(?:[\p{M}\p{Emoji_Modifier}]|\u200d.?)*/gsu;

/**
 * No cell in any terminal. Of the format characters (Cf) some are visible, such as U+0600, and a terminal may not know the
 * marks of a script that was added to Unicode later.
 */
const NO_CELL = /^(?:\p{Cc}|\p{DI}|(?=[\0-\uffff])[\p{Mn}\p{Me}])$/u;

/** The most cells that any terminal gives a text: some show the parts of a joined emoji side by side. */
function maxWidth(text: string): number {
  if (ONE_CELL_EACH.test(text)) return text.length;
  let width = 0;
  for (const char of text) {
    if (WIDE.test(char) || AMBIGUOUS.test(char)) width += 2;
    else if (!NO_CELL.test(char)) width += 1;
  }
  return width;
}

// deno-lint-ignore no-control-regex -- the escape character is what is looked for
const COLOR_CODE = /(\x1b\[[\d;]*m)/;
// deno-lint-ignore no-control-regex -- the escape character is what is looked for
const PIECE = /\x1b\[[\d;]*m| +|[^ \x1b]+/g;

/** Escapes what `escapeControl` does, except colour codes. */
export function escapeAllButColors(text: string): string {
  return text.split(COLOR_CODE).map((part, i) => i % 2 === 1 ? part : escapeControl(part)).join("");
}

/** Options of {@linkcode wrapText}. */
export interface WrapOptions {
  /** The width of the screen, in cells. */
  columns: number;
  /**
   * How many spaces begin each row that continues a line; more where all lines of the text have a second column, and it
   * is the same.
   * @default {2}
   */
  indent?: number;
  /**
   * Whether lines such as `  --port PORT  the port` continue below their second column, and others below their first
   * word.
   * @default {false}
   */
  table?: boolean;
}

/**
 * Escapes lines, except for colour codes, and breaks them into rows: at spaces, or inside a word longer than a row.
 *
 * Rows that continue a line are indented, so that no text can imitate the beginning of another line. No terminal wraps
 * the rows itself: each grapheme counts as the most cells that any terminal gives it.
 *
 * @returns The rows.
 */
export function wrapText(text: string, options: WrapOptions): string[] {
  const { columns, indent = 2, table = false } = options;
  const lines = text.split(/\r?\n/).map(escapeAllButColors);
  const shared = Math.max(indent, sharedColumn(lines));
  return lines.flatMap((line) => wrapLine(line, columns, table ? tableIndent(line) : shared));
}

function wrapLine(line: string, columns: number, hanging: number): string[] {
  if (line.length <= columns && ONE_CELL_EACH.test(line)) return [line];
  const margin = hanging <= columns / 2 ? hanging : Math.min(4, columns >> 2);
  const rows: string[] = [];
  let row = "";
  let column = 0;
  const put = (piece: string, width: number) => {
    if (column + width > columns && column > margin) {
      rows.push(row);
      row = " ".repeat(margin);
      column = margin;
    }
    row += piece;
    column += width;
  };
  for (const piece of line.match(PIECE) ?? []) {
    const width = maxWidth(piece);
    if (piece.startsWith("\x1b")) row += piece;
    // Spaces that do not fit end the row.
    else if (piece.startsWith(" ") && column + width >= columns) column = columns;
    else if (width <= columns - margin) put(piece, width);
    else if (ONE_CELL_EACH.test(piece)) { for (const part of piece) put(part, 1); }
    else for (const part of piece.match(CLUSTER) ?? []) put(part, maxWidth(part));
  }
  return [...rows, row];
}

/** Where the second column of all of several lines begins; 0 if there is none. */
function sharedColumn(lines: string[]): number {
  const [first = 0, ...others] = lines.map(tableIndent);
  return others.length > 0 && others.every((indent) => indent === first) ? first : 0;
}

/** Where the second column of a line begins, or its first. */
function tableIndent(line: string): number {
  return (/^ *\S+(?: \S+)* {2,}(?=\S)/.exec(line) ?? /^ */.exec(line)!)[0].length;
}

/** Where a line stands on the screen. */
export interface LineLayout {
  /** The text of each row. */
  rows: string[];
  /** The row of the cursor, counted from 0. */
  cursorRow: number;
  /** What stands before the cursor in its row. */
  beforeCursor: string;
}

/**
 * Breaks a line into rows as a terminal does, and finds its cursor.
 *
 * @param prompt What stands before the text; its colour codes fill no cell.
 * @param cursor An index into `text`.
 * @param columns The width of the screen, in cells.
 */
export function layOutLine(
  prompt: string,
  text: string,
  cursor: number,
  columns: number,
): LineLayout {
  const rows = [""];
  let column = 0;
  const makeRoom = (width: number) => {
    if (column + width <= columns) return;
    rows.push("");
    column = 0;
  };
  const put = (piece: string, width: number) => {
    makeRoom(width);
    rows[rows.length - 1] += piece;
    column += width;
  };
  const cursorHere = () => ({ cursorRow: rows.length - 1, beforeCursor: rows.at(-1)! });

  for (const part of prompt.split(COLOR_CODE)) {
    if (part.startsWith("\x1b")) rows[rows.length - 1] += part;
    else for (const { segment } of graphemes.segment(part)) put(segment, graphemeWidth(segment));
  }
  let found: ReturnType<typeof cursorHere> | undefined;
  for (const { segment, index } of graphemes.segment(text)) {
    const width = graphemeWidth(segment);
    makeRoom(width);
    if (index >= cursor) found ??= cursorHere();
    put(segment, width);
  }
  makeRoom(1); // beside a full row's last cell there is no place for the cursor
  return { rows, ...found ?? cursorHere() };
}
