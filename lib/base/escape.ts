/**
 * Makes text from a peer safe to show.
 *
 * A terminal obeys what it prints: `\x1b[2J` clears the screen, a newline forges a line of the log, a right-to-left
 * override shows `exe.txt` for `txt.exe`. Text from a peer is therefore escaped before it reaches a terminal or a log.
 *
 * @module
 */

/** Most text is this: one test, and no replacement. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Control characters (Cc), lone surrogates (Cs), line and paragraph separators (Zl, Zp), and what shows
 * nothing itself (DI, and the three annotation characters). The flags of England, Scotland and Wales are
 * spelled with invisible tags, so they are matched first, to be kept.
 */
const UNSAFE =
  /\p{RGI_Emoji_Tag_Sequence}|[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{DI}\uFFF9-\uFFFB]--[\u200C\u200D\p{M}]]/gv;

/** The first character of a flag spelled with tags, and the only visible one that `UNSAFE` matches. */
const BLACK_FLAG = 0x1f3f4;

/** Characters with an escape of their own; the others are shown by number. */
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Escapes the characters of a text that a terminal obeys, that reorder it, or that are invisible.
 *
 * | in the text | shown as |
 * | --- | --- |
 * | newline, carriage return, tab | `\n`, `\r`, `\t` |
 * | the other C0 and C1 controls and DEL | `\x1b`, `\x9b`, `\x7f` |
 * | U+2028, U+2029, bidirectional marks, overrides and isolates | `\u{2028}`, `\u{202e}` |
 * | invisible characters: zero-width space, soft hyphen, byte order mark, fillers, tags | `\u{200b}` |
 * | a lone surrogate | `\u{d800}` |
 *
 * Letters of any script, combining marks, emoji with their joiners, variation selectors and tags, and the
 * zero-width joiner and non-joiner (Persian and Hindi are spelled with them) pass unchanged.
 *
 * The result is for people, not for parsers: a backslash is left alone, so two texts can look the same, and escaping
 * twice changes nothing more. It does not make names distinct: Latin and Cyrillic `a` both pass.
 */
export function escapeControl(text: string): string {
  return PRINTABLE_ASCII.test(text) ? text : text.replace(UNSAFE, escapeOne);
}

function escapeOne(match: string): string {
  const code = match.codePointAt(0)!;
  if (code === BLACK_FLAG) return match;
  const hex = code.toString(16);
  return SHORT[match] ?? (code <= 0xff ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}

/** The most combining marks on one character: more of them would cover the lines above. */
const MAX_MARKS = 8;
const TOO_MANY_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");

/** Makes a text of a peer safe to show to a person, in a terminal as on a page. */
export function safeText(text: string): string {
  return escapeControl(text).replace(TOO_MANY_MARKS, "$1");
}
