/**
 * Who is at which address: names in a JSON file.
 *
 * @module
 */
import { normalizeAddress } from "../base/address.ts";
import { cannot, isName, readIdentities, setAside } from "./identity_file.ts";
import { changeFile } from "./private_file.ts";

/** Options for {@linkcode IdentityStore.open}. */
export interface IdentityStoreOptions {
  /**
   * Is told, in one sentence, when a corrupt file was set aside.
   *
   * @default {() => {}}
   */
  onNotice?(notice: string): void;
  /**
   * The clock that dates a file set aside, in milliseconds since 1970.
   *
   * @default {Date.now}
   */
  now?(): number;
}

type Change = (names: Map<string, string>) => unknown;

/**
 * Remembers a name for each IP address, in a JSON file that a person can read and edit.
 *
 * - **Honest.** A name is known once the file holds it: `get` never tells a name that a restart would forget.
 * - **Ordered.** Changes are written in the order they were asked for; those that come while one write
 *   is under way share the next.
 * - **Careful.** The file is replaced whole, and a corrupt one is set aside, never overwritten.
 * - **Shared.** A change is made to what the file holds by then: what another server stored, or a person wrote, stays.
 *   It is known here from then on, or once an address is looked for that is unknown.
 *
 * Nothing needs closing.
 */
export class IdentityStore {
  #path: string;
  #names: Map<string, string>;
  #batch: { changes: Change[]; written: Promise<void> } | null = null;
  #reading: Promise<void> | null = null;
  #lastUse: Promise<void> = Promise.resolve();

  private constructor(path: string, names: Map<string, string>) {
    this.#path = path;
    this.#names = names;
  }

  /**
   * Reads the file; a missing one means that nobody is known yet. A corrupt one is renamed to
   * `<path>.corrupt-<date>`, `onNotice` is told, and the store starts empty.
   *
   * @param path The JSON file.
   * @param options Where notices go.
   * @throws {Error} If the file cannot be read or is a symbolic link, or a corrupt one cannot be set aside.
   */
  static async open(path: string, options: IdentityStoreOptions = {}): Promise<IdentityStore> {
    const { onNotice = () => {}, now = Date.now } = options;
    try {
      return new IdentityStore(path, await readIdentities(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new IdentityStore(path, new Map());
      if (!(error instanceof Deno.errors.InvalidData)) throw cannot("read", path, error);
      const aside = await setAside(path, now());
      onNotice(`${path} is corrupt (${error.message}): moved to ${aside}, starting with no names`);
      return new IdentityStore(path, new Map());
    }
  }

  /** How many addresses have a name. */
  get size(): number {
    return this.#names.size;
  }

  /** The name that is known of an address, in any of the address's spellings. */
  get(address: string): string | undefined {
    return this.#names.get(normalizeAddress(address));
  }

  /**
   * The name of an address; for one that is unknown the file is read again, for another server may have stored it.
   *
   * @param address The address, in any of its spellings.
   * @throws {Error} If the file cannot be read, or holds nonsense.
   */
  async find(address: string): Promise<string | undefined> {
    const known = this.get(address);
    if (known !== undefined) return known;
    await this.#refresh();
    return this.get(address);
  }

  /**
   * Stores a name for an address that has none. Settles when the file holds it.
   *
   * @param address The address, in any of its spellings.
   * @param name A name as `parseName` gives it.
   * @returns The name that the address has now: a name that somebody stored before, here or on another server, stays.
   * @throws {TypeError} If it is no valid name.
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  remember(address: string, name: string): Promise<string> {
    if (!isName(name)) throw new TypeError("Cannot store an identity: the name is not valid");
    return this.#change((names) => names.getOrInsert(normalizeAddress(address), name));
  }

  /**
   * Forgets every address, and tells how many there were. Settles when the file is empty.
   *
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  clear(): Promise<number> {
    return this.#change((names) => {
      const { size } = names;
      names.clear();
      return size;
    });
  }

  /** Gives what `change` gives, once that is written. */
  async #change<T>(change: (names: Map<string, string>) => T): Promise<T> {
    let result: T;
    if (this.#batch === null) {
      const changes: Change[] = [];
      this.#batch = { changes, written: this.#next(() => this.#write(changes)) };
    }
    this.#batch.changes.push((names) => result = change(names));
    await this.#batch.written;
    return result!;
  }

  /** Takes over what the file holds. Those who ask while others wait share one reading. */
  #refresh(): Promise<void> {
    return this.#reading ??= this.#next(async () => {
      this.#reading = null; // It may miss what is written from here on.
      try {
        this.#names = await this.#stored();
      } catch (error) {
        throw cannot("read", this.#path, error);
      }
    });
  }

  /** Reads or writes when all that was asked for before is done. */
  #next(use: () => Promise<void>): Promise<void> {
    const used = this.#lastUse.then(use);
    this.#lastUse = used.catch(() => {}); // Told to those who wait for it, not to the next.
    return used;
  }

  async #write(changes: Change[]): Promise<void> {
    this.#batch = null; // From here on changes go into the next one.
    let names = this.#names;
    try {
      await changeFile(this.#path, async () => {
        names = await this.#stored();
        for (const change of changes) change(names);
        return JSON.stringify(Object.fromEntries(names), null, 2) + "\n";
      });
    } catch (error) {
      throw cannot("write", this.#path, error);
    }
    this.#names = names;
  }

  /** What the file holds now; where it is gone, it is made again of what is known. */
  async #stored(): Promise<Map<string, string>> {
    try {
      return await readIdentities(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Map(this.#names);
      throw error;
    }
  }
}
