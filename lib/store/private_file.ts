/**
 * Files that only their owner can read, and that one program at a time uses.
 *
 * @module
 */
import { dirname } from "node:path";
import { makePrivateFolder } from "./private_folder.ts";

/**
 * Locks a file of a server's data until the lock is closed or the process has ended, however that happens. Programs that do
 * not ask for the lock can use the file all the same.
 *
 * @param path The file. The lock is in `PATH.lock`, which is made with its folder if missing, and stays.
 * @throws {Deno.errors.Busy} If another server has it.
 * @throws {Deno.errors.PermissionDenied} If `PATH.lock` is a symbolic link or cannot be written.
 * @throws {Error} If it is something else than a file.
 */
export function lockFile(path: string): Disposable {
  makePrivateFolder(dirname(path));
  const info = refuseLink(`${path}.lock`, `lock ${path}`);
  // A named pipe would be waited for, without an end.
  if (info && !info.isFile) {
    throw new Error(`Cannot lock ${path}: ${path}.lock is not a file. Move it away`);
  }
  const file = Deno.openSync(`${path}.lock`, { create: true, write: true, mode: 0o600 });
  try {
    if (file.tryLockSync(true)) return file;
  } catch {
    return file; // Not every disk has locks.
  }
  file.close();
  throw new Deno.errors.Busy(
    `Cannot open ${path}: another server uses it. Stop that one, or give this one a folder of ` +
      "its own, as --data data/second",
  );
}

/**
 * Replaces a file in one step, so that a reader, or a crash at any moment, finds the whole
 * old content or the whole new one. Only the file's owner can read and write it; its folder is made if missing.
 *
 * The new content is on the disk, not only with the operating system, when this settles. When it
 * rejects, the old file is untouched.
 *
 * @param path The file. A symbolic link there is replaced, not followed.
 * @param change Gives the new content. Other callers that change a file of that folder, in any process, wait until then:
 * what it reads is what it replaces. They do not wait on Windows, on a disk without locks, and without the permission
 * to read the folder.
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

/** Opens a folder, where that can be done, and waits for its lock, which closing releases. */
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

/** What is at a path, a link itself and not its target, or `null`. */
export function infoOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Refuses a symbolic link, which may lead out of the folders that a program may use: Deno does not check its permissions for
 * the target everywhere. Where others may write, the answer can be outdated at once.
 *
 * @param action What cannot be done, for the message.
 * @returns As {@linkcode infoOf}.
 * @throws {Deno.errors.PermissionDenied} If there is a link at the path.
 */
export function refuseLink(path: string, action: string): Deno.FileInfo | null {
  const info = infoOf(path);
  if (!info?.isSymlink) return info;
  throw new Deno.errors.PermissionDenied(
    `Cannot ${action}: ${path} is a symbolic link. Put the file itself there`,
  );
}
