/** The most characters (code points) of a name. */
const MAX_NAME_LENGTH = 32;
// Checked before normalisation, whose time grows with the square of a run of marks. Four code points may become one.
const MAX_TEXT_UNITS = MAX_NAME_LENGTH * 4 * 2;

/** A valid name: as it is shown, and as it is compared. */
export interface Name {
  /** The name to show, in Unicode's form NFKC. */
  name: string;
  /** The same for all spellings of one name; see {@linkcode parseName}. */
  key: string;
}

// A mark needs a letter to stand on. Invisible characters, some of them letters (U+3164, a "filler"), would make two
// names look alike.
const NAME = /^(?!.*\p{Default_Ignorable_Code_Point})(?:\p{L}\p{M}*|[\p{Nd}_-])+$/u;
const OUTSIDE = /(?![\p{L}\p{M}])[^\p{Nd}_-]|\p{Default_Ignorable_Code_Point}/u;
const VISIBLE = /^[\p{P}\p{Sc}\p{Sk}\p{Sm}]$/u;

/**
 * Checks a name and gives its normal spelling, or the reason why it is not a name.
 *
 * A name is 1 to 32 letters of any script, with the combining marks that belong to them, digits,
 * `_` and `-`, counted after form NFKC, in which look-alikes of one letter (full-width, ligatures) are
 * that letter. Blanks around it are dropped. A new account's name has more rules: see `parseNewName`.
 *
 * Two names are the same when their keys are: `key` is the name in lower case, then upper, then
 * lower again, in NFKC. In practice that is Unicode's full case folding: `ß`, `ẞ` and `SS`
 * are one, and so are `σ`, `ς` and `Σ`. In Turkish, `ı` is the same as `I` and `i`, while `İ` is a letter of
 * its own. Letters of different scripts that look alike have different keys.
 *
 * The time is bounded: a longer text than any name can be is refused before it is normalised.
 *
 * @param text What was typed or received.
 * @returns The name, or `{ reason }`, which is safe to show: it quotes nothing of the text.
 */
export function parseName(text: string): Name | { reason: string } {
  const tooLong = `A name has at most ${MAX_NAME_LENGTH} characters`;
  if (text.length > MAX_TEXT_UNITS) return { reason: tooLong };
  const name = text.normalize("NFKC").trim();
  const length = [...name].length;
  if (length === 0) return { reason: "A name cannot be empty" };
  if (length > MAX_NAME_LENGTH) return { reason: `${tooLong}, not ${length}` };
  if (!NAME.test(name)) return { reason: explain(name) };
  const key = name.toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
  return { name, key };
}

/** The key of a text, which is empty, and equal to no name's, where the text is not a name. */
export function keyOfText(text: string): string {
  const parsed = parseName(text);
  return "key" in parsed ? parsed.key : "";
}

/** Whether two texts spell the same name. A text that is not a name is the same as nothing. */
export function isSameName(a: string, b: string): boolean {
  const key = keyOfText(a);
  return key !== "" && key === keyOfText(b);
}

function explain(name: string): string {
  const rule = "A name is made of letters, digits, _ and -";
  const outside = OUTSIDE.exec(name)?.[0];
  if (outside === undefined) return `${rule}; a combining mark must follow a letter`;
  const number = outside.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  const shown = VISIBLE.test(outside) ? outside : `U+${number}`;
  return outside === " " ? `${rule}, without spaces` : `${rule}; ${shown} is none of these`;
}
