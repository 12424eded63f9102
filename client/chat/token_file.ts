/**
 * Tokens kept in a file, so that the next run needs no password.
 *
 * @module
 */

import { dirname } from "node:path";
import { isSameName } from "../../lib/chat/name.ts";
import { changeFile } from "../../lib/store/private_file.ts";

/** A token, where it is good, and for how long. */
export interface KeptToken {
  /** The server's address, as `127.0.0.1:9090`. */
  server: string;
  /** Whom it lets in. */
  name: string;
  /** The secret. */
  token: string;
  /** When it expires unless it is used before, in milliseconds since 1970. */
  expires: number;
}

/**
 * Keeps one token for each name at each server, the last one used at the end. Only the file's owner can read it.
 *
 * It never asks for a permission: without those to read and write the file's folder, nothing is kept.
 */
export class TokenFile {
  readonly #path: string;
  readonly #isUsable: boolean;
  #last: Promise<void> = Promise.resolve();

  /** Names the file; `undefined` keeps nothing. */
  constructor(path: string | undefined) {
    this.#path = path ?? "";
    this.#isUsable = path !== undefined && mayUse("read", dirname(path)) &&
      mayUse("write", dirname(path));
  }

  /** The token of a name at a server; without a name, the last one used there. */
  async find(server: string, name?: string): Promise<KeptToken | undefined> {
    return (await this.#read()).findLast((kept) =>
      kept.server === server && (name === undefined || isSameName(kept.name, name))
    );
  }

  /** Keeps a token in place of the one before. Changes are made one after the other, in the order of the calls. */
  save(token: KeptToken): Promise<void> {
    const isOld = ({ server, name }: KeptToken) =>
      server === token.server && isSameName(name, token.name);
    return this.#change(isOld, [token]);
  }

  /** Forgets a token, and no other that another program may have kept for the same name meanwhile. */
  remove(token: string): Promise<void> {
    return this.#change((kept) => kept.token === token, []);
  }

  #change(isOld: (kept: KeptToken) => boolean, tokens: KeptToken[]): Promise<void> {
    const change = this.#last.then(() => this.#replace(isOld, tokens));
    this.#last = change.catch(() => {}); // It is the caller's to hear of.
    return change;
  }

  async #replace(isOld: (kept: KeptToken) => boolean, tokens: KeptToken[]): Promise<void> {
    if (!this.#isUsable) return;
    await changeFile(this.#path, async () => {
      const kept = [...(await this.#read()).filter((token) => !isOld(token)), ...tokens];
      return `${JSON.stringify(kept, null, 2)}\n`;
    });
  }

  async #read(): Promise<KeptToken[]> {
    if (!this.#isUsable) return [];
    try {
      const kept: unknown = JSON.parse(await Deno.readTextFile(this.#path));
      return Array.isArray(kept) ? kept.filter(isToken).filter(isFresh) : [];
    } catch {
      // No file yet, or not ours: the password is asked for, and a good file is made.
      return [];
    }
  }
}

function mayUse(name: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

function isToken(value: unknown): value is KeptToken {
  const { server, name, token, expires } = (value ?? {}) as Record<string, unknown>;
  return [server, name, token].every((field) => typeof field === "string") &&
    typeof expires === "number";
}

function isFresh({ expires }: KeptToken): boolean {
  return expires > Date.now();
}
