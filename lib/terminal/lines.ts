/**
 * Lines out of a stream of text or bytes, such as piped standard input.
 *
 * @module
 */

/** Options of {@linkcode LineSplitter} and {@linkcode readLines}. */
export interface LinesOptions {
  /**
   * Where an endless line is cut off, in UTF-16 code units, so that it cannot fill the memory: what is given is at most
   * one chunk longer, and the rest of the line is skipped. A caller that refuses lines over `maxLength` never takes a cut one for whole.
   * @default {1048576}
   */
  maxLength?: number;
}

/**
 * Splits text that comes in pieces into lines without their ends (`\n` or `\r\n`).
 *
 * Everything else is kept: a byte order mark, an empty line, a lone `\r`, U+2028 (which `node:readline` takes for the end of a line).
 */
export class LineSplitter {
  readonly #maxLength: number;
  #rest = ""; // of a line whose end has not come yet

  /** Takes the limit. */
  constructor({ maxLength = 1024 * 1024 }: LinesOptions = {}) {
    this.#maxLength = maxLength;
  }

  /** Takes the next piece, cut anywhere, and gives the lines that end in it. */
  push(text: string): string[] {
    const lines = text.split("\n");
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop()!.slice(0, this.#maxLength + 2);
    return lines.map(withoutReturn);
  }

  /** Gives the last line, if no newline came after it. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [withoutReturn(rest)];
  }
}

/**
 * Yields each line of UTF-8 text as {@linkcode LineSplitter} gives them, the last one also without a newline after it.
 *
 * Bytes that are not UTF-8 come out as U+FFFD.
 *
 * @param chunks The bytes, cut anywhere.
 * @param options The limit.
 * @returns The lines.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  options: LinesOptions = {},
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const splitter = new LineSplitter(options);
  for await (const chunk of chunks) yield* splitter.push(decoder.decode(chunk, { stream: true }));
  yield* splitter.push(decoder.decode());
  yield* splitter.end();
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
