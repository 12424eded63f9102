/**
 * Lines out of a stream of bytes, such as piped standard input.
 *
 * @module
 */

/** Options of {@linkcode readLines}. */
export interface LinesOptions {
  /**
   * Where an endless line is cut off, in UTF-16 code units, so that it cannot fill the memory: what is given is at most
   * one chunk longer, and the rest of the line is skipped. A caller that refuses lines over `maxLength` never takes a cut one for whole.
   * @default {1048576}
   */
  maxLength?: number;
}

/**
 * Yields the lines of UTF-8 text without their ends (`\n` or `\r\n`), the last one also without a newline after it.
 *
 * Everything else is kept: a byte order mark, an empty line, a lone `\r`, U+2028 (a line end for `node:readline`). Bytes
 * that are not UTF-8 come out as U+FFFD.
 *
 * @param chunks The bytes, cut anywhere.
 * @param options The limit.
 * @returns The lines.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxLength = 1024 * 1024 }: LinesOptions = {},
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = ""; // of a line whose end has not come yet
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop()!.slice(0, maxLength + 2);
    for (const line of lines) yield withoutReturn(line);
  }
  rest += decoder.decode();
  if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
