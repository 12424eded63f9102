import { messageOf } from "../base/thrown.ts";
import { networkOf, normalizeAddress } from "../base/address.ts";
import { parseName } from "../chat/name.ts";
import { changeFile, infoOf } from "./private_file.ts";

const MAX_NAMES = 10_000;
const MAX_NAMES_PER_NETWORK = 64;
const MAX_ADDRESS_LENGTH = 64;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Names by address, and how many addresses of each IPv6 network have one. */
class Names {
  readonly byAddress: Map<string, string> = new Map();
  readonly #perNetwork: Map<string, number> = new Map();

  constructor(entries: Iterable<[string, string]> = []) {
    for (const [address, name] of entries) this.set(address, name);
  }

  set(address: string, name: string): void {
    if (address.includes(":") && !this.byAddress.has(address)) {
      const network = networkOf(address);
      this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
    }
    this.byAddress.set(address, name);
  }

  isFullFor(address: string): boolean {
    if (this.byAddress.has(address)) return false;
    const neighbours = this.#perNetwork.get(networkOf(address)) ?? 0;
    return this.byAddress.size >= MAX_NAMES || neighbours >= MAX_NAMES_PER_NETWORK;
  }
}

type Change = (names: Names) => Names | void;

/**
 * Remembers a name for each IP address, in a JSON file that a person can read and edit.
 *
 * - **Honest.** A name is known once the file holds it: `get` never gives a name that a restart would forget.
 * - **Ordered.** Changes are written in the order they were asked for; those that come during one write share the next.
 * - **Careful.** The file is replaced whole, and a corrupt one is set aside, never overwritten.
 * - **Edited.** What another program writes into the file stays, and is known here after the next change, or once an
 *   unknown address is looked for. The file is read again only when it was changed.
 * - **Bounded.** It stores 10,000 names, and 64 for one IPv6 network. A file with more is used as it is.
 *
 * Nothing needs closing.
 */
export class IdentityStore {
  #path: string;
  #names = new Names();
  /** Tells the file as it was read or written last from one that was changed since. */
  #version = "";
  #batch: { changes: Change[]; written: Promise<void> } | null = null;
  #lastUse: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads the file; a missing one means that no name is known yet. A corrupt one is renamed to
   * `<path>.corrupt-<date>`, and the store starts empty.
   *
   * @param path The JSON file.
   * @param onNotice Called with a sentence when a corrupt file was set aside.
   * @throws {Error} If the file cannot be read or is a symbolic link, or a corrupt one cannot be set aside.
   */
  static async open(path: string, onNotice?: (notice: string) => void): Promise<IdentityStore> {
    const store = new IdentityStore(path);
    try {
      await store.#refresh();
    } catch (error) {
      if (!(error instanceof Deno.errors.InvalidData)) throw cannot("read", path, error);
      const aside = await setAside(path);
      onNotice?.(
        `${path} is corrupt (${error.message}): moved to ${aside}, starting with no names`,
      );
    }
    return store;
  }

  /** The known name of an address, in any of the address's spellings. */
  get(address: string): string | undefined {
    return this.#names.byAddress.get(normalizeAddress(address));
  }

  /**
   * The name of an address; for one that is unknown the file is read again if it was changed.
   *
   * @param address The address, in any of its spellings.
   * @throws {Error} If the file cannot be read, or is corrupt.
   */
  async find(address: string): Promise<string | undefined> {
    if (this.get(address) === undefined) {
      await this.#next(() => this.#refresh(), "read");
    }
    return this.get(address);
  }

  /**
   * Stores a name for an address that has none. Settles when the file holds it.
   *
   * @param address The address, in any of its spellings.
   * @param name A name as `parseName` gives it.
   * @returns The name that the address has now: a name that was stored before stays. `null` where no more can be stored.
   * @throws {TypeError} If it is not a valid name.
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  async remember(address: string, name: string): Promise<string | null> {
    if (!isName(name)) throw new TypeError("Cannot store an identity: the name is not valid");
    const key = normalizeAddress(address);
    // Asked before as well: a full store is not written again for each that comes.
    if (this.#names.isFullFor(key)) return null;
    let stored: string | null = null;
    await this.#change((names) => {
      if (names.isFullFor(key)) return;
      stored = names.byAddress.get(key) ?? name;
      names.set(key, stored);
    });
    return stored;
  }

  /**
   * Forgets every address, and gives how many there were. Settles when the file is empty.
   *
   * @throws {Error} If the file cannot be written; the store and the file are then as before.
   */
  async clear(): Promise<number> {
    let size = 0;
    await this.#change((names) => {
      size = names.byAddress.size;
      return new Names();
    });
    return size;
  }

  /** Settles when the change is written. */
  async #change(change: Change): Promise<void> {
    if (this.#batch === null) {
      const changes: Change[] = [];
      this.#batch = { changes, written: this.#next(() => this.#write(changes), "write") };
    }
    this.#batch.changes.push(change);
    await this.#batch.written;
  }

  /** Uses the file when all that was asked for before is done. */
  #next(use: () => Promise<void>, action: string): Promise<void> {
    const used = this.#lastUse.then(use).catch((error) => {
      throw cannot(action, this.#path, error);
    });
    this.#lastUse = used.catch(() => {}); // Who waits for it gets the error, and the next use goes on.
    return used;
  }

  async #write(changes: Change[]): Promise<void> {
    this.#batch = null; // From here on changes go into the next one.
    let names = this.#names;
    await changeFile(this.#path, async () => {
      await this.#refresh();
      names = new Names(this.#names.byAddress);
      for (const change of changes) names = change(names) ?? names;
      return JSON.stringify(Object.fromEntries(names.byAddress), null, 2) + "\n";
    });
    this.#names = names;
    this.#version = versionOf(infoOf(this.#path));
  }

  /** Reads the file if it was changed. Where it is gone, the next write makes it again of what is known. */
  async #refresh(): Promise<void> {
    const info = infoOf(this.#path);
    const version = versionOf(info);
    if (info === null || version === this.#version) return;
    if (info.isSymlink) {
      throw new Deno.errors.PermissionDenied("it is a symbolic link. Put the file itself there");
    }
    if (!info.isFile) throw new Error("it is not a file. Move it away");
    if (info.size > MAX_FILE_BYTES) throw new Deno.errors.InvalidData("it is too large");
    this.#names = parseNames(await Deno.readFile(this.#path));
    this.#version = version;
  }
}

function versionOf(info: Deno.FileInfo | null): string {
  return info === null
    ? ""
    : [info.ino, info.mtime?.getTime(), info.ctime?.getTime(), info.size].join();
}

/** The names in a file. The error of a corrupt one quotes nothing of it. */
function parseNames(bytes: Uint8Array): Names {
  const entries = Object.entries(parseObject(bytes));
  const bad = entries.findIndex(([address, name]) =>
    address.length > MAX_ADDRESS_LENGTH || !isName(name)
  );
  if (bad !== -1) {
    throw new Deno.errors.InvalidData(`entry ${bad + 1} is not an address and a valid name`);
  }
  return new Names(entries.map(([address, name]) => [normalizeAddress(address), name]));
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

/** Whether a value is a name as `parseName` gives it. */
function isName(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const parsed = parseName(value);
  return "name" in parsed && parsed.name === value;
}

/** Renames a corrupt file to `<path>.corrupt-<date>`, and gives its new path. */
async function setAside(path: string): Promise<string> {
  const date = new Date().toISOString().replaceAll(":", "-");
  try {
    for (let attempt = 1;; attempt++) {
      const aside = `${path}.corrupt-${date}${attempt === 1 ? "" : `-${attempt}`}`;
      if (infoOf(aside) !== null) continue; // A rename would silently replace it.
      await Deno.rename(path, aside);
      return aside;
    }
  } catch (error) {
    throw cannot("set aside the corrupt", path, error);
  }
}

/** Says what could not be done with the file, and what to do about a corrupt one. */
function cannot(action: string, path: string, cause: unknown): Error {
  const isCorrupt = cause instanceof Deno.errors.InvalidData;
  const advice = isCorrupt ? ". Mend the file, or move it away" : "";
  return new Error(`Cannot ${action} identity file ${path}: ${messageOf(cause)}${advice}`, {
    cause,
  });
}
