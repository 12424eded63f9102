/**
 * What a secret looks like in each encoding that somebody might have stored it in.
 *
 * @module
 */

/** A binary string: one character for each byte, so that bytes can be searched like text. */
export function binary(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The disguises of a text, as binary strings. */
export function disguises(secret: string): string[] {
  const utf8 = new TextEncoder().encode(secret);
  const utf16 = Uint8Array.from(
    [...secret].flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8]),
  );
  return [...[utf8, utf16].flatMap(encodings), [...secret].reverse().join("")];
}

/** The disguises of bytes, as binary strings. */
export function encodings(bytes: Uint8Array): string[] {
  return [
    binary(bytes),
    bytes.toHex(),
    bytes.toHex().toUpperCase(),
    bytes.toBase64({ omitPadding: true }),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
}
