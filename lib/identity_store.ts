/**
 * Who is at which address: names in a JSON file.
 *
 * @module
 */
import { normalizeAddress } from "./address.ts";
import { parseName } from "./name.ts";
import { changeFile } from "./replace_file.ts";

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

type Change = (names: Map<string, string>) => void;

/**
 * Remembers a name for each IP address, in a JSON file that a person can read and edit.
 *
 * - **Honest.** A name is known once the file holds it: `get` never tells a name that a restart would forget.
 * - **Ordered.** Changes are written in the order they were asked for; those that come while one write
 *   is under way share the next.
 * - **Careful.** The file is replaced whole, and a corrupt one is set aside, never overwritten.
 * - **Shared.** A change is made to what the file holds by then: what another server stored, or a person wrote, stays,
 *   and is known here from then on.
 *
 * Nothing needs closing.
 */
export class IdentityStore {
  #path: string;
  #names: Map<string, string>;
  #batch: { changes: Change[]; written: Promise<void> } | null = null;
  #lastWrite: Promise<void> = Promise.resolve();

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
   * @throws {Error} If the file cannot be read, or a corrupt one cannot be set aside.
   */
  static async open(path: string, options: IdentityStoreOptions = {}): Promise<IdentityStore> {
    const { onNotice = () => {}, now = Date.now } = options;
    try {
      return new IdentityStore(path, parseIdentities(await Deno.readFile(path)));
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

  /** The name stored for an address, in any of the address's spellings. */
  get(address: string): string | undefined {
    return this.#names.get(normalizeAddress(address));
  }

  /**
   * Stores a name for an address, in place of an earlier one. Settles when the file holds it.
   *
   * @param address The address, in any of its spellings.
   * @param name A name as {@linkcode parseName} gives it.
   * @throws {TypeError} If it is no valid name.
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  remember(address: string, name: string): Promise<void> {
    if (!isName(name)) throw new TypeError("Cannot store an identity: the name is not valid");
    return this.#change((names) => names.set(normalizeAddress(address), name));
  }

  /**
   * Forgets every address. Settles when the file is empty.
   *
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  clear(): Promise<void> {
    return this.#change((names) => names.clear());
  }

  #change(change: Change): Promise<void> {
    if (this.#batch === null) {
      const changes: Change[] = [];
      const written = this.#lastWrite.then(() => this.#write(changes));
      this.#batch = { changes, written };
      this.#lastWrite = written.catch(() => {}); // Told to those who wait for it, not to the next.
    }
    this.#batch.changes.push(change);
    return this.#batch.written;
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
      return parseIdentities(await Deno.readFile(this.#path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Map(this.#names);
      throw error;
    }
  }
}

function parseIdentities(bytes: Uint8Array): Map<string, string> {
  const entries = Object.entries(parseObject(bytes));
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

function isName(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const parsed = parseName(value);
  return "name" in parsed && parsed.name === value;
}

async function setAside(path: string, now: number): Promise<string> {
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

function cannot(action: string, path: string, cause: unknown): Error {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot ${action} identity file ${path}: ${detail}`, { cause });
}
