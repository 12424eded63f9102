/**
 * Files that are either the old ones or the new ones, never half of each.
 *
 * @module
 */
import { dirname } from "node:path";

/**
 * Replaces a file by what `change` makes of it, in one step, so that a reader, or a crash at any moment, finds the whole
 * old content or the whole new one. Only the file's owner can read and write it; its folder is made if missing.
 *
 * Whoever else changes a file of that folder in this way, in whatever process, waits meanwhile, so that no change is
 * lost. Nobody waits on Windows, on a disk without locks, and without the permission to read the folder.
 *
 * The new content is on the disk, not only with the operating system, when this settles. When it
 * rejects, the old file is untouched.
 *
 * @param path The file. A symbolic link there is replaced, not followed.
 * @param change Reads the file, and gives its new content.
 */
export async function changeFile(path: string, change: () => Promise<string>): Promise<void> {
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using locked = await lockFolder(folder);
  const text = await change();
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeNew(temporary, new TextEncoder().encode(text));
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // It may never have been made; `error` tells more.
    throw error;
  }
  // A rename is an entry in a folder, and reaches the disk with the folder; not every disk can sync one.
  await locked?.sync().catch(() => {});
}

/** Opens a folder, where that can be done, and waits for its lock, which is free again when the folder is closed. */
async function lockFolder(folder: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(folder).catch(() => undefined);
  try {
    await file?.lock(true);
  } catch {
    // Not every disk has locks, and the change matters more than the turn.
  }
  return file;
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
  await file.sync();
}

/**
 * Tells whether a path is a symbolic link, which may lead out of the folders that a program may use: Deno does not
 * everywhere ask its permissions for what it leads to. The answer can be outdated at once, where others may write.
 */
export function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
