/**
 * What counts as a name, and which names are the same.
 *
 * @module
 */

/** The most characters (code points) a name may have. */
const MAX_NAME_LENGTH = 32;

/** A valid name: as it is shown, and as it is compared. */
export interface Name {
  /** The name to show, in Unicode's form NFKC. */
  name: string;
  /** The same for all spellings of one name; see {@linkcode parseName}. */
  key: string;
}

// A mark needs a letter to stand on. Characters that show as nothing, some of them letters
// (U+3164, a "filler"), would make two names look alike.
const NAME = /^(?!.*\p{Default_Ignorable_Code_Point})(?:\p{L}\p{M}*|[\p{Nd}_-])+$/u;
const OUTSIDE = /(?![\p{L}\p{M}])[^\p{Nd}_-]|\p{Default_Ignorable_Code_Point}/u;

/**
 * Checks a name and gives its one true spelling, or the reason why it is none.
 *
 * A name is 1 to 32 letters of any script, with the combining marks that belong to them, digits,
 * `_` and `-`, counted after form NFKC, in which look-alikes of one letter (full-width, ligatures) are
 * that letter. Blanks around it are dropped.
 *
 * Two names are the same when their keys are: `key` is the name in lower case, then upper, then
 * lower again, in NFKC. That is Unicode's full case folding wherever people meet it: `ß`, `ẞ` and `SS`
 * are one, and so are `σ`, `ς` and `Σ`. In Turkish, `ı` is the same as `I` and `i`, while `İ` is a letter of
 * its own. Letters of different scripts that look alike stay different.
 *
 * @param text What somebody typed or sent.
 * @returns The name, or `{ reason }`, which is safe to show: it quotes nothing of the text.
 */
export function parseName(text: string): Name | { reason: string } {
  const name = text.normalize("NFKC").trim();
  const length = [...name].length;
  if (length === 0) return { reason: "A name cannot be empty" };
  if (length > MAX_NAME_LENGTH) {
    return { reason: `A name has at most ${MAX_NAME_LENGTH} characters, not ${length}` };
  }
  if (!NAME.test(name)) return { reason: explain(name) };
  const key = name.toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
  return { name, key };
}

/**
 * The key of a name that is known to be one.
 *
 * @throws {TypeError} If it is none.
 */
export function keyOfName(name: string): string {
  const parsed = parseName(name);
  if ("reason" in parsed) throw new TypeError(`Cannot use the name: ${parsed.reason}`);
  return parsed.key;
}

/** The key of what may be no name: then it is empty, which is the key of none. */
export function keyOfText(text: string): string {
  const parsed = parseName(text);
  return "key" in parsed ? parsed.key : "";
}

/** Whether two texts spell the same name. What is no name is the same as nothing. */
export function isSameName(a: string, b: string): boolean {
  const key = keyOfText(a);
  return key !== "" && key === keyOfText(b);
}

function explain(name: string): string {
  const rule = "A name is made of letters, digits, _ and -";
  const codePoint = OUTSIDE.exec(name)?.[0].codePointAt(0);
  if (codePoint === undefined) return `${rule}; a combining mark must follow a letter`;
  const number = codePoint.toString(16).toUpperCase().padStart(4, "0");
  return `${rule}; ${codePoint === 0x20 ? "a space" : `U+${number}`} is neither`;
}
