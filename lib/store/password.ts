import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, passwordLength } from "../chat/lengths.ts";

/** What one hash costs; see RFC 9106. */
export interface PasswordParams {
  /** Memory in KiB: at least 8 for each lane, at most 262,144. */
  memoryKiB: number;
  /** Passes over that memory, 1 to 16. */
  passes: number;
  /** Lanes, 1 to 4. */
  parallelism: number;
}

/** OWASP's first choice for Argon2id where memory is short: 19 MiB, 2 passes. About 35 ms; see SECURITY.md. */
export const PASSWORD_PARAMS: Readonly<PasswordParams> = {
  memoryKiB: 19_456,
  passes: 2,
  parallelism: 1,
};

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Whether a text may be a password: 8 to 256 characters (code points, after normalisation),
 * any of them, and no lone surrogates, which no two encoders treat alike.
 */
export function isPassword(text: string): boolean {
  if (!text.isWellFormed()) return false;
  const length = passwordLength(text);
  return length >= MIN_PASSWORD_LENGTH && length <= MAX_PASSWORD_LENGTH;
}

/**
 * Hashes a password with Argon2id and a salt of its own, off the main thread.
 *
 * The password is brought to Unicode's form NFC first (as RFC 8265 asks), so that `é` is the same
 * whether a keyboard sends one code point or two. Nothing else about it is changed.
 *
 * @param password The password; its length is the caller's to check, with {@linkcode isPassword}.
 * @param params What the hash costs.
 * @returns A PHC string, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
 * @throws {RangeError} If the parameters are outside their limits.
 */
export async function hashPassword(
  password: string,
  params: PasswordParams = PASSWORD_PARAMS,
): Promise<string> {
  if (!areAffordable(params)) {
    throw new RangeError(`Cannot hash a password with ${JSON.stringify(params)}: out of limits`);
  }
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const hash = await argon2id(password, { params, salt, hashBytes: HASH_BYTES });
  const { memoryKiB, passes, parallelism } = params;
  const costs = `m=${memoryKiB},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${costs}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Whether this is the password that was hashed. A refusal takes as long as a hash of `costs`, also where the hash was made
 * when they were lower, and where there is no hash at all.
 *
 * @param password What was sent.
 * @param phc What {@linkcode hashPassword} gave; `undefined` for a name that has no account.
 * @param costs What a refusal costs; see {@linkcode highestCosts}.
 * @throws {Deno.errors.InvalidData} If the PHC string is malformed, or asks for more memory or passes
 * than {@linkcode PasswordParams} allows; nothing is then computed.
 */
export async function verifyPassword(
  password: string,
  phc: string | undefined,
  costs: PasswordParams = PASSWORD_PARAMS,
): Promise<boolean> {
  if (phc === undefined) {
    await hashPassword(password, costs);
    return false;
  }
  const { params, salt, hash } = parsePhc(phc);
  const actual = await argon2id(password, { params, salt, hashBytes: hash.length });
  if (timingSafeEqual(actual, hash)) return true;
  // What was saved is spent now.
  const memoryKiB = Math.floor((workOf(costs) - workOf(params)) / costs.passes);
  if (memoryKiB >= 8 * costs.parallelism) await hashPassword(password, { ...costs, memoryKiB });
  return false;
}

/**
 * Whether a hash should be made again because the parameters have risen: more memory or more
 * passes than it has, and not less of either. It never asks for a weaker hash.
 *
 * @param phc What {@linkcode hashPassword} gave.
 * @param params The parameters in force.
 * @throws {Deno.errors.InvalidData} As {@linkcode verifyPassword}.
 */
export function needsRehash(phc: string, params: PasswordParams = PASSWORD_PARAMS): boolean {
  const had = parsePhc(phc).params;
  if (params.memoryKiB < had.memoryKiB || params.passes < had.passes) return false;
  return params.memoryKiB > had.memoryKiB || params.passes > had.passes;
}

/**
 * The costs that take the longest: those given, or those of a hash that was stored before they fell.
 *
 * @param params The parameters in force.
 * @param stored The costs of stored hashes, as they stand in a PHC string: `m=19456,t=2,p=1`.
 */
export function highestCosts(params: PasswordParams, stored: string[]): PasswordParams {
  return stored.map(parseCosts).filter((costs) => costs !== undefined)
    .reduce((most, costs) => workOf(costs) > workOf(most) ? costs : most, params);
}

interface ParsedPhc {
  params: PasswordParams;
  salt: Uint8Array<ArrayBuffer>;
  hash: Uint8Array<ArrayBuffer>;
}

// Salts of 8 to 64 bytes and hashes of 16 to 64, in base64 without padding.
const PHC = /^\$argon2id\$v=19\$([^$]+)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const COSTS = /^m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9])$/;

function parsePhc(phc: string): ParsedPhc {
  const [, costs = "", salt = "", hash = ""] = PHC.exec(phc) ?? [];
  const params = parseCosts(costs);
  if (params === undefined) {
    throw new Deno.errors.InvalidData(
      "Cannot read a password hash: it is malformed, or its costs are out of limits",
    );
  }
  return { params, salt: fromBase64(salt), hash: fromBase64(hash) };
}

function parseCosts(text: string): PasswordParams | undefined {
  const [memoryKiB = 0, passes = 0, parallelism = 0] = COSTS.exec(text)?.slice(1).map(Number) ?? [];
  const params = { memoryKiB, passes, parallelism };
  return areAffordable(params) ? params : undefined;
}

function areAffordable({ memoryKiB, passes, parallelism }: PasswordParams): boolean {
  return [memoryKiB, passes, parallelism].every(Number.isSafeInteger) &&
    parallelism >= 1 && parallelism <= 4 && passes >= 1 && passes <= 16 &&
    memoryKiB >= 8 * parallelism && memoryKiB <= 262_144;
}

/** What the time of a hash is in proportion to. */
function workOf({ memoryKiB, passes }: PasswordParams): number {
  return memoryKiB * passes;
}

async function argon2id(
  password: string,
  { params, salt, hashBytes }: { params: PasswordParams; salt: BufferSource; hashBytes: number },
): Promise<Uint8Array> {
  const secret = new TextEncoder().encode(password.normalize("NFC"));
  // TypeScript's types know neither "raw-secret" nor Argon2id yet; the runtime does.
  const format = "raw-secret" as "raw";
  const key = await crypto.subtle.importKey(format, secret, "Argon2id", false, ["deriveBits"]);
  const { memoryKiB: memory, passes, parallelism } = params;
  const algorithm = { name: "Argon2id", nonce: salt, memory, passes, parallelism };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 8 * hashBytes));
}

function base64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "loose" });
  } catch (cause) {
    throw new Deno.errors.InvalidData("Cannot read a password hash: malformed", { cause });
  }
}
