/**
 * Logins kept in a file, so that the next run needs no password.
 *
 * @module
 */

import { dirname } from "node:path";
import { isSameName } from "../../lib/chat/name.ts";
import { changeFile } from "../../lib/store/private_file.ts";
import {
  isUsableName,
  type KeptLogin,
  type LoginStore,
  MAX_TOKEN_LENGTH,
} from "../session/session_login.ts";

/** A login, and the address of its server, as in `127.0.0.1:9090`. */
type Entry = KeptLogin & { server: string };

/** When more logins are kept, the one that was used least recently goes. */
const MAX_LOGINS = 100;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The logins at one server, in a file with those of others, the last one used at the end. Only its owner can read it.
 *
 * It never asks for a permission: without those to read and write the file's folder, nothing is kept.
 */
export class TokenFile implements LoginStore {
  readonly #path: string;
  readonly #server: string;
  #last: Promise<void> = Promise.resolve();

  /** Names the file, and the address of the server. */
  constructor(path: string, server: string) {
    this.#path = path;
    this.#server = server;
  }

  /**
   * Checks that the file may be replaced by a list of logins.
   *
   * @throws {TypeError} If it is something else.
   */
  async check(): Promise<void> {
    if (this.#isAllowed) await this.#read();
  }

  /** Gives the logins kept for this server, the last one used at the end. */
  async list(): Promise<KeptLogin[]> {
    if (!this.#isAllowed) return [];
    return (await this.#read()).filter(({ server }) => server === this.#server);
  }

  /** Keeps a login in place of the earlier one of that name and data. */
  save(login: KeptLogin): Promise<void> {
    const { name, tls, data } = login;
    const isOld = (kept: Entry) =>
      kept.server === this.#server && isSameName(kept.name, name) && kept.tls === tls &&
      (kept.data === data || kept.data === undefined);
    return this.#change(isOld, [{ server: this.#server, ...login }]);
  }

  /** Forgets this token only: another program may have kept a newer one for the same name. */
  async remove(token: string): Promise<void> {
    if (this.#isAllowed) await this.#change((kept) => kept.token === token, []);
  }

  get #isAllowed(): boolean {
    const path = dirname(this.#path);
    return (["read", "write"] as const).every((name) =>
      Deno.permissions.querySync({ name, path }).state === "granted"
    );
  }

  /** Changes are made one after the other, in the order of the calls. */
  #change(isOld: (kept: Entry) => boolean, added: Entry[]): Promise<void> {
    const change = this.#last.then(() => this.#replace(isOld, added));
    this.#last = change.catch(() => {}); // The caller is told.
    return change;
  }

  async #replace(isOld: (kept: Entry) => boolean, added: Entry[]): Promise<void> {
    if (!this.#isAllowed) {
      const folder = dirname(this.#path);
      throw new Error(
        `start the client with --allow-read=${folder} --allow-write=${folder} to keep it`,
      );
    }
    await changeFile(this.#path, async () => {
      const kept = [...(await this.#read()).filter((entry) => !isOld(entry)), ...added];
      return `${JSON.stringify(kept.slice(-MAX_LOGINS), null, 2)}\n`;
    });
  }

  async #read(): Promise<Entry[]> {
    let text: string;
    try {
      const { isFile, size } = await Deno.stat(this.#path);
      if (!isFile || size > MAX_FILE_BYTES) throw this.#noList();
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    return this.#parse(text).filter(({ name, token }) =>
      isUsableName(name) && token.length <= MAX_TOKEN_LENGTH
    );
  }

  #parse(text: string): Entry[] {
    const list = text.trim(); // An editor may have put a byte order mark before it, which JSON does not allow.
    if (list === "") return [];
    try {
      const entries: unknown = JSON.parse(list);
      if (Array.isArray(entries) && entries.every(isEntry)) {
        // Those of earlier versions do not say what they were got from.
        return entries.map((entry) => ({ ...entry, tls: entry.tls === true }));
      }
    } catch {
      // It is no JSON: see below.
    }
    throw this.#noList();
  }

  #noList(): TypeError {
    return new TypeError(
      `Cannot keep logins in ${this.#path}: it is no list of logins. Give --session another file`,
    );
  }
}

function isEntry(value: unknown): value is Entry {
  const { server, name, token, data = "" } = (value ?? {}) as Record<string, unknown>;
  return [server, name, token, data].every((field) => typeof field === "string");
}
