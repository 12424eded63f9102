/**
 * Reads and empties a log that another thread or process may be writing.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The last lines of a log, oldest first; fewer when there are no more, none when there is no file.
 *
 * It reads from the end, so a long log costs no more than a short one, and goes on into the backups `PATH.1`,
 * `PATH.2`, … when the newest file holds too few. A rotation at that very moment may show lines twice.
 */
export async function showLog(path: string, lines: number): Promise<string[]> {
  let found: string[] = [];
  for (let backup = 0; found.length < lines; backup++) {
    const older = await lastLines(backup === 0 ? path : `${path}.${backup}`, lines - found.length);
    if (older === null) break;
    found = [...older, ...found];
  }
  return found;
}

/**
 * Empties a log and removes its backups.
 *
 * The writer may go on meanwhile: it appends, so its later lines stand at the start of the empty file.
 */
export async function clearLog(path: string): Promise<void> {
  const backup = `${basename(path)}.`;
  await unlessMissing(() => Deno.truncate(path));
  await unlessMissing(async () => {
    for await (const { name } of Deno.readDir(dirname(path))) {
      if (!name.startsWith(backup) || !/^[0-9]+$/.test(name.slice(backup.length))) continue;
      await unlessMissing(() => Deno.remove(join(dirname(path), name)));
    }
  });
}

/** The last lines of one file, or `null` when there is no such file. */
async function lastLines(path: string, lines: number): Promise<string[] | null> {
  using file = await unlessMissing(() => Deno.open(path));
  if (file === null) return null;
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let start = (await file.stat()).size;
  // One newline more than lines: the one before the first of them.
  for (let newlines = 0; start > 0 && newlines <= lines;) {
    const end = start;
    start = Math.max(0, end - BLOCK_BYTES);
    const block = await readBlock(file, start, end - start);
    newlines += count(block, NEWLINE);
    blocks.unshift(block);
  }
  const text = new TextDecoder().decode(await new Blob(blocks).bytes());
  return text.split("\n").filter((line) => line !== "").slice(-lines);
}

/** Reads at most `bytes` bytes: fewer if the file was emptied meanwhile. */
async function readBlock(
  file: Deno.FsFile,
  start: number,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const block = new Uint8Array(bytes);
  await file.seek(start, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes) {
    const read = await file.read(block.subarray(length));
    if (read === null) break;
    length += read;
  }
  return block.subarray(0, length);
}

function count(bytes: Uint8Array, wanted: number): number {
  let found = 0;
  for (const byte of bytes) if (byte === wanted) found++;
  return found;
}

async function unlessMissing<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
