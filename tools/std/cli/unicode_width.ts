/**
 * How wide a text is on a terminal.
 *
 * @module
 */

const INVISIBLE = /(?!\u00ad)[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff\ud7b0-\ud7fb]/u;
const WIDE_BLOCKS =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;
const WIDE_EMOJI = /(?!\p{Regional_Indicator})\p{Emoji_Presentation}/u;

/**
 * Counts the columns a text takes on a terminal: two for a wide character (Chinese, an emoji), none for a combining one.
 *
 * Takes whole blocks of Unicode instead of its table of widths, so that a few unassigned or rare symbols come out wrong.
 */
export function unicodeWidth(str: string): number {
  let columns = 0;
  for (const character of str) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  if (INVISIBLE.test(character)) return 0;
  return WIDE_BLOCKS.test(character) || WIDE_EMOJI.test(character) ? 2 : 1;
}
