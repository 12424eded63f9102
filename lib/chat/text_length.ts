/**
 * How long a text of the chat may be, for those who send one and those who take it.
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
