/**
 * How long a password may be, for those who choose one and those who keep it.
 *
 * @module
 */

/** The fewest characters of a password. */
export const MIN_PASSWORD_LENGTH = 8;
/** The most characters of a password. */
export const MAX_PASSWORD_LENGTH = 256;

/** How many characters a password has: code points, after normalisation. */
export function passwordLength(password: string): number {
  return [...password.normalize("NFC")].length;
}
