/**
 * Logins kept in a file, so that the next run needs no password.
 *
 * @module
 */

import { dirname } from "node:path";
import { changeFile } from "../../lib/store/private_file.ts";
import { makePrivateFolder } from "../../lib/store/private_folder.ts";
import {
  type KeptEntry,
  type KeptLogin,
  type LoginStore,
  parseLogins,
  withLogin,
} from "../session/session_login.ts";

/** Where logins are kept unless the user names another file. */
export const DEFAULT_PATH = "data/logins.json";

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
    return this.#change((kept) => withLogin(kept, { server: this.#server, ...login }));
  }

  /** Forgets this token only: another program may have kept a newer one for the same name. */
  async remove(token: string): Promise<void> {
    if (this.#isAllowed) await this.#change((kept) => kept.filter((each) => each.token !== token));
  }

  get #isAllowed(): boolean {
    const path = dirname(this.#path);
    return (["read", "write"] as const).every((name) =>
      Deno.permissions.querySync({ name, path }).state === "granted"
    );
  }

  /** Changes are made one after the other, in the order of the calls. */
  #change(change: (kept: KeptEntry[]) => KeptEntry[]): Promise<void> {
    const changed = this.#last.then(() => this.#replace(change));
    this.#last = changed.catch(() => {}); // The caller is told.
    return changed;
  }

  async #replace(change: (kept: KeptEntry[]) => KeptEntry[]): Promise<void> {
    if (!this.#isAllowed) {
      const folder = dirname(this.#path);
      throw new Error(
        `start the client with --allow-read=${folder} --allow-write=${folder} to keep it`,
      );
    }
    // The folder of another file is the user's own.
    if (this.#path === DEFAULT_PATH) makePrivateFolder(dirname(DEFAULT_PATH));
    await changeFile(this.#path, async () => {
      return `${JSON.stringify(change(await this.#read()), null, 2)}\n`;
    });
  }

  async #read(): Promise<KeptEntry[]> {
    let text: string;
    try {
      const { isFile, size } = await Deno.stat(this.#path);
      if (!isFile || size > MAX_FILE_BYTES) throw this.#noList();
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    const entries = parseLogins(text);
    if (!entries) throw this.#noList();
    return entries;
  }

  #noList(): TypeError {
    return new TypeError(
      `Cannot keep logins in ${this.#path}: it is not a list of logins. Give --session another file`,
    );
  }
}
