/**
 * The streams of the line client: a person at a terminal, or programs at the ends of pipes.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { escapeControl } from "../lib/escape.ts";
import { readLines } from "../lib/lines.ts";

/** Where lines come from, and where messages go. */
export interface Streams extends Disposable {
  /** What is typed or piped in. */
  lines: AsyncIterable<string>;
  /** Shows a message of the server: escaped at a terminal, exactly as it is in a pipe. */
  onReply(text: string): Promise<void>;
  /** Shows a message of the client, which is fit for a terminal. */
  onService(message: string): void;
}

/** Opens what standard input and output are. */
export function openStreams(): Streams {
  // A reader that went away is told to whoever writes next; without a listener it would end the process.
  process.stdout.on("error", () => {});
  return process.stdin.isTTY ? terminalStreams() : pipeStreams();
}

function terminalStreams(): Streams {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => {
    terminal.close();
    Deno.exit(130);
  });
  const print = (text: string) => {
    process.stdout.write(`\r\x1b[K${text}\n`);
    terminal.prompt(true);
  };
  terminal.prompt();
  return {
    lines: terminal,
    onReply: (text) => Promise.resolve(print(escapeControl(text))),
    onService: print,
    [Symbol.dispose]: () => terminal.close(),
  };
}

function pipeStreams(): Streams {
  return {
    lines: readLines(process.stdin),
    onReply: (text) => writeLine(process.stdout, process.stdout.isTTY ? escapeControl(text) : text),
    onService: (message) => void writeLine(process.stderr, message),
    [Symbol.dispose]: () => {},
  };
}

/** Writes a line, and settles when it is taken. */
function writeLine(stream: Writable, line: string): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(`${line}\n`, (error) => error ? reject(error) : resolve())
  );
}
