/**
 * How long a text, a password and a stack of combining marks may be, for those who send one and those who take it.
 *
 * @module
 */

const MAX_TEXT_BYTES = 4 * 1024;

/** What a user is told whose text is too long. */
export const TEXT_TOO_LONG =
  `A text has at most ${MAX_TEXT_BYTES} bytes of UTF-8: send it in parts`;

const utf8 = new TextEncoder();

/** Whether a text is longer than the chat takes. */
export function isTextTooLong(text: string): boolean {
  return text.length > MAX_TEXT_BYTES || utf8.encode(text).length > MAX_TEXT_BYTES;
}

/** The fewest characters of a password. */
export const MIN_PASSWORD_LENGTH = 8;
/** The most characters of a password. */
export const MAX_PASSWORD_LENGTH = 256;

/**
 * How many characters a password has: code points, after normalisation to NFC. A text that no normalisation makes short
 * enough counts in UTF-16 units, so that the time is bounded.
 */
export function passwordLength(password: string): number {
  // No character takes more than four units before NFC.
  if (password.length > 4 * MAX_PASSWORD_LENGTH) return password.length;
  return [...password.normalize("NFC")].length;
}

/** The most nonspacing marks on one character: the limit of Unicode's UTS #39, section 5.4. */
export const MAX_MARKS = 4;

// Invisible characters between marks do not end a stack. The two sets are disjoint, so the time is linear.
const TOO_MANY_MARKS = /(?:[\p{Mn}\p{Me}](?:(?!\p{M})\p{Default_Ignorable_Code_Point})*){5}/u;

/** Whether a character of the text has more than {@linkcode MAX_MARKS} combining marks. */
export function hasTooManyMarks(text: string): boolean {
  return TOO_MANY_MARKS.test(text);
}
