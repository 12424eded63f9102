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
