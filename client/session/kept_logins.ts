/**
 * A list of logins as text, in a file or in the storage of a browser.
 *
 * @module
 */

import { isSameName } from "../../lib/chat/name.ts";
import { isUsableName, type KeptLogin, MAX_TOKEN_LENGTH } from "./login.ts";

/** A login, and the address of its server, as in `127.0.0.1:9090`. */
export type KeptEntry = KeptLogin & { server: string };

/** When more logins are kept, the one that was used least recently goes. */
const MAX_LOGINS = 100;

/** Reads a list, the last login used at the end; `undefined` where the text is something else. */
export function parseLogins(text: string): KeptEntry[] | undefined {
  if (text.trim() === "") return [];
  try {
    const entries: unknown = JSON.parse(text);
    if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined;
    return entries.filter(({ name, token }) =>
      isUsableName(name) && token.length <= MAX_TOKEN_LENGTH
      // Those of earlier versions do not say what they were got from.
    ).map((entry) => ({ ...entry, tls: entry.tls === true }));
  } catch {
    // It is no JSON.
    return undefined;
  }
}

/** Adds a login in place of the earlier one of that name, server and data. */
export function withLogin(entries: KeptEntry[], added: KeptEntry): KeptEntry[] {
  const { server, name, tls, data } = added;
  const isOld = (kept: KeptEntry) =>
    kept.server === server && isSameName(kept.name, name) && kept.tls === tls &&
    (kept.data === data || kept.data === undefined);
  return [...entries.filter((kept) => !isOld(kept)), added].slice(-MAX_LOGINS);
}

function isEntry(value: unknown): value is KeptEntry {
  const { server, name, token, data = "" } = (value ?? {}) as Record<string, unknown>;
  return [server, name, token, data].every((field) => typeof field === "string");
}
