/**
 * Reads, follows and empties a log that another thread or process may be writing.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { sleep } from "../base/within.ts";

/** Which lines to read. */
export interface LogFilter {
  /** Only lines that contain this text. @default {""} */
  text?: string;
}

/** Options of {@linkcode followLog}. */
export interface FollowLogOptions extends LogFilter {
  /** Ends it. */
  signal: AbortSignal;
  /**
   * How often it looks for new lines, in milliseconds.
   *
   * @default {200}
   */
  intervalMs?: number;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The last lines of a log, oldest first; fewer when there are no more, none when there is no file.
 *
 * It reads from the end, so a long log costs no more than a short one, and continues in the backups `PATH.1`,
 * `PATH.2`, … when the newest file holds too few. A rotation at that very moment may show lines twice.
 */
export async function showLog(
  path: string,
  count: number,
  { text = "" }: LogFilter = {},
): Promise<string[]> {
  const found: string[] = [];
  if (count === 0) return found;
  for (const file of [path, ...await backupsOf(path)]) {
    for await (const line of linesBackwards(file)) {
      if (line === "" || !line.includes(text)) continue;
      if (found.push(line) === count) return found.reverse();
    }
  }
  return found.reverse();
}

/** Yields the lines that are added to a log from now on, across rotations, until the signal aborts. */
export async function* followLog(
  path: string,
  { text = "", signal, intervalMs = 200 }: FollowLogOptions,
): AsyncGenerator<string, void, void> {
  // At once, so that no line is missed that is written after the first call of `next`.
  let file = await unlessMissing(() => openAtEnd(path));
  try {
    let decoder = new TextDecoder(), rest = "";
    while (!signal.aborted) {
      const isSame = await isSameFile(path, file);
      if (file) {
        const lines = (rest + await readOn(file, decoder)).split("\n");
        rest = lines.pop()!;
        yield* lines.filter((line) => line !== "" && line.includes(text));
      }
      if (!isSame) {
        file?.close();
        file = null; // or a failure to open would close it twice
        file = await unlessMissing(() => openLog(path));
        decoder = new TextDecoder();
        rest = "";
      }
      // Where the signal ends the wait, the loop ends too.
      await sleep(intervalMs, signal).catch(() => {});
    }
  } finally {
    file?.close();
  }
}

/**
 * Empties a log and removes its backups; returns whether there was anything.
 *
 * The writer may write at the same time: it appends, so its later lines stand at the start of the empty file.
 */
export async function clearLog(path: string): Promise<boolean> {
  const { size } = await unlessMissing(() => Promise.resolve(statLog(path))) ?? { size: 0 };
  await unlessMissing(() => Deno.truncate(path));
  const backups = await backupsOf(path);
  for (const backup of backups) await unlessMissing(() => Deno.remove(backup));
  return size > 0 || backups.length > 0;
}

/** The backups of a log, newest first. */
async function backupsOf(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  const numbers: number[] = [];
  await unlessMissing(async () => {
    for await (const { name, isFile } of Deno.readDir(dirname(path))) {
      const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
      if (isFile && /^[0-9]+$/.test(digits)) numbers.push(Number(digits));
    }
  });
  return numbers.sort((a, b) => a - b).map((number) => join(dirname(path), prefix + number));
}

/** The lines of a file from its end; none when there is no such file. */
async function* linesBackwards(path: string): AsyncGenerator<string, void, void> {
  using file = await unlessMissing(() => openLog(path));
  if (file === null) return;
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0); // of a line whose beginning was not read yet
  for (let start = (await file.stat()).size; start > 0;) {
    const end = start;
    start = Math.max(0, end - BLOCK_BYTES);
    const bytes = await new Blob([await readBlock(file, start, end - start), rest]).bytes();
    const lineStart = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    rest = bytes.subarray(0, lineStart);
    if (start > 0 && lineStart === 0) rest = bytes;
    else yield* new TextDecoder().decode(bytes.subarray(lineStart)).split("\n").reverse();
  }
}

/** Reads at most `bytes` bytes: fewer if the file was emptied in between. */
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

/** What is known of a log's file. To open a named pipe would wait for another program, without an end. */
function statLog(path: string): Deno.FileInfo {
  const info = Deno.statSync(path);
  if (info.isFifo) throw new Error(`${path} is a named pipe. Move it away`);
  return info;
}

function openLog(path: string): Promise<Deno.FsFile> {
  statLog(path);
  return Deno.open(path);
}

function openAtEnd(path: string): Promise<Deno.FsFile> {
  statLog(path);
  const file = Deno.openSync(path);
  file.seekSync(0, Deno.SeekMode.End);
  return Promise.resolve(file);
}

/** Reads what was added to a file since the last time. */
async function readOn(file: Deno.FsFile, decoder: TextDecoder): Promise<string> {
  const block = new Uint8Array(BLOCK_BYTES);
  let text = "";
  for (let read; (read = await file.read(block)) !== null;) {
    text += decoder.decode(block.subarray(0, read), { stream: true });
  }
  return text;
}

/** Whether a path still names an open file, and that has not become shorter than what was read of it. */
async function isSameFile(path: string, file: Deno.FsFile | null): Promise<boolean> {
  const named = await unlessMissing(() => Deno.stat(path));
  if (file === null || named === null) return file === null && named === null;
  const position = await file.seek(0, Deno.SeekMode.Current);
  return named.ino === (await file.stat()).ino && named.size >= position;
}

async function unlessMissing<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
