/**
 * The file of an identity store: an object of names by address, in JSON.
 *
 * @module
 */
import { normalizeAddress } from "../base/address.ts";
import { isLink } from "./private_file.ts";
import { parseName } from "../chat/name.ts";

/**
 * Reads names by address.
 *
 * @throws {Deno.errors.InvalidData} If the file holds anything else; the message quotes nothing of it.
 * @throws {Deno.errors.PermissionDenied} If it is a symbolic link.
 */
export async function readIdentities(path: string): Promise<Map<string, string>> {
  if (isLink(path)) {
    throw new Deno.errors.PermissionDenied("it is a symbolic link. Put the file itself there");
  }
  const entries = Object.entries(parseObject(await Deno.readFile(path)));
  const bad = entries.findIndex(([, name]) => !isName(name));
  if (bad !== -1) throw new Deno.errors.InvalidData(`entry ${bad + 1} is not a valid name`);
  return new Map(entries.map(([address, name]) => [normalizeAddress(address), name]));
}

function parseObject(bytes: Uint8Array): Record<string, string> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    // Its message quotes the file, which may hold anything.
    throw new Deno.errors.InvalidData("it is not JSON in UTF-8", { cause });
  }
  throw new Deno.errors.InvalidData("it is not an object of names by address");
}

/** Tells whether a value is a name as `parseName` gives it. */
export function isName(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const parsed = parseName(value);
  return "name" in parsed && parsed.name === value;
}

/** Renames a corrupt file to `<path>.corrupt-<date>`, and gives its new path. */
export async function setAside(path: string, now: number): Promise<string> {
  const date = new Date(now).toISOString().replaceAll(":", "-");
  try {
    for (let attempt = 1;; attempt++) {
      const aside = `${path}.corrupt-${date}${attempt === 1 ? "" : `-${attempt}`}`;
      if (await exists(aside)) continue; // A rename would silently replace it.
      await Deno.rename(path, aside);
      return aside;
    }
  } catch (error) {
    throw cannot("set aside the corrupt", path, error);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Says what could not be done with the file, and what to do about a corrupt one. */
export function cannot(action: string, path: string, cause: unknown): Error {
  const detail = cause instanceof Error ? cause.message : String(cause);
  const isNonsense = cause instanceof Deno.errors.InvalidData;
  const advice = isNonsense ? ". Mend the file, or move it away" : "";
  return new Error(`Cannot ${action} identity file ${path}: ${detail}${advice}`, { cause });
}
