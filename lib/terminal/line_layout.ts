/**
 * Works out which cells of a terminal a line of text fills.
 *
 * @module
 */

/** Cuts a text into what a person sees as one character each. */
export const graphemes: Intl.Segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** No cell of its own: marks and joiners (not the soft hyphen), Hangul vowels and finals. */
const ZERO_WIDTH = /^(?!\xad)[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff]$/u;

/** Two cells: East Asian Width W and F (Unicode Standard Annex 11), in runs. */
const WIDE = new RegExp(
  "^[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u4dbf\\u4e00-\\ua4cf\\ua960-\\ua97f" +
    "\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6" +
    "\\u{16fe0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]$",
  "u",
);

/** One picture, whatever it is made of: shown as an emoji by itself, by U+FE0F, or joined. */
const EMOJI = /^\p{Emoji_Presentation}|^\p{Emoji}.*[\ufe0f\u200d]|^\p{RI}\p{RI}/su;

/**
 * Counts the cells that one grapheme fills: 0, 1 or 2, rarely more.
 *
 * Terminals differ about joined emoji and new scripts; this follows those that show one picture
 * in two cells.
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

// deno-lint-ignore no-control-regex -- the escape character is what is looked for
const COLOR_CODE = /(\x1b\[[\d;]*m)/;

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
