/**
 * A password in the first line of a file, as editors of any system write it.
 *
 * @module
 */

import { MAX_PASSWORD_LENGTH, passwordLength } from "../../lib/chat/lengths.ts";

const MAX_FILE_BYTES = 64 * 1024;

/**
 * Reads the first line of a text in UTF-8, or in UTF-16 with a byte order mark, which is no part of it. A named pipe is
 * read when a program writes to it; `tell` is given a sentence that says so.
 *
 * @throws {TypeError} With the reason, if the file holds no password that a person can type.
 */
export async function readPasswordFile(
  path: string,
  tell: (text: string) => void = () => {},
): Promise<string> {
  const [line = ""] = decode(await readBytes(path, tell), path).split(/\r\n|[\r\n]/);
  if (line === "") throw problem(path, "its first line is empty");
  // deno-lint-ignore no-control-regex -- no keyboard enters these
  if (/[\0-\x08\x0e-\x1f\x7f]/.test(line)) throw problem(path, "it is not text in UTF-8");
  if (passwordLength(line) > MAX_PASSWORD_LENGTH) {
    throw problem(path, `its first line has more than ${MAX_PASSWORD_LENGTH} characters`);
  }
  return line;
}

async function readBytes(path: string, tell: (text: string) => void): Promise<Uint8Array> {
  try {
    const { isFifo } = await Deno.stat(path);
    if (isFifo) {
      tell(`Waiting for the password from ${path}: a named pipe, which a program has to write to`);
    }
    using file = await Deno.open(path);
    const buffer = new Uint8Array(MAX_FILE_BYTES);
    let length = 0;
    for (let read; (read = await file.read(buffer.subarray(length)));) length += read;
    return buffer.subarray(0, length);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw problem(path, (error as Error).message);
    const reason = `start the client by deno run with --allow-read=${path}, or keep it in data/`;
    throw problem(path, reason);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  const [first, second] = bytes;
  const mark = `${first},${second}`;
  const encoding = mark === "255,254" ? "utf-16le" : mark === "254,255" ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw problem(path, "it is not text in UTF-8");
  }
}

function problem(path: string, reason: string): TypeError {
  return new TypeError(`Cannot take the password from ${path}: ${reason}`);
}
