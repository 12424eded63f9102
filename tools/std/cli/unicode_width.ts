/**
 * How wide a text is on a terminal.
 *
 * @module
 */

// The widths of Unicode 15.0, as in std. Characters that came later, and unassigned ones, take one column.
const SINCE_15 =
  /[\u0897\u{10d69}-\u{10d6d}\u{10efc}\u{113bb}-\u{113c0}\u{113ce}\u{113d0}\u{113d2}\u{113e1}\u{113e2}\u{11f5a}\u{1611e}-\u{16129}\u{1612d}-\u{1612f}\u{1e5ee}\u{1e5ef}\u{1fa89}\u{1fa8f}\u{1fabe}\u{1fac6}\u{1fadc}\u{1fadf}\u{1fae9}]/u;
const INVISIBLE = /(?!\u00ad)[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff\u{1171e}]/u;
const WIDE_BLOCKS =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u2ff0-\u2ffb\u3000-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3131-\u318e\u3190-\u31e3\u31f0-\u321e\u3220-\u3247\u3250-\u4dbf\u4e00-\ua48c\ua490-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe52\ufe54-\ufe66\ufe68-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{16fe3}\u{16ff0}\u{16ff1}\u{17000}-\u{187f7}\u{18800}-\u{18cd5}\u{18d00}-\u{18d08}\u{1aff0}-\u{1aff3}\u{1aff5}-\u{1affb}\u{1affd}\u{1affe}\u{1b000}-\u{1b122}\u{1b132}\u{1b150}-\u{1b152}\u{1b155}\u{1b164}-\u{1b167}\u{1b170}-\u{1b2fb}\u{1f200}-\u{1f202}\u{1f210}-\u{1f23b}\u{1f240}-\u{1f248}\u{1f250}\u{1f251}\u{1f260}-\u{1f265}\u{20000}-\u{2fffd}\u{30000}-\u{3fffd}]/u;
const WIDE_EMOJI = /(?!\p{Regional_Indicator})\p{Emoji_Presentation}/u;

/** Counts the columns a text takes on a terminal: two for a wide character (Chinese, an emoji), none for a combining one. */
export function unicodeWidth(str: string): number {
  let columns = 0;
  for (const character of str) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  if (SINCE_15.test(character)) return 1;
  if (INVISIBLE.test(character)) return 0;
  return WIDE_BLOCKS.test(character) || WIDE_EMOJI.test(character) ? 2 : 1;
}
