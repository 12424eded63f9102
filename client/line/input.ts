/**
 * The lines that the line client sends.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DEFAULT_MAX_BODY_BYTES } from "../../lib/frame/frame.ts";

/** Why the input is over. */
export type InputEnd = "exit" | "end of input";

/**
 * Gives the lines that can be sent, until `exit` or the end, which it returns.
 *
 * @param lines What is typed or piped in.
 * @param refuse Takes the reason for each line that cannot be sent.
 */
export async function* sendableLines(
  lines: AsyncIterable<string>,
  refuse: (reason: string) => void,
): AsyncGenerator<string, InputEnd> {
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "exit") return "exit";
    const objection = objectionTo(line);
    if (objection === undefined) yield line;
    else refuse(`line ${number} ${objection}`);
  }
  return "end of input";
}

function objectionTo(line: string): string | undefined {
  if (!line.isWellFormed()) return "has half a character (a lone surrogate)";
  const isTooLong = Buffer.byteLength(line) > DEFAULT_MAX_BODY_BYTES;
  return isTooLong ? `is over ${DEFAULT_MAX_BODY_BYTES} bytes` : undefined;
}
