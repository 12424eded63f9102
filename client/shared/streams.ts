/**
 * The streams of the line client: a person at a terminal, or programs at the ends of pipes.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";
import { painter, wantsColor } from "../../lib/terminal/color.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import { readLines } from "../../lib/terminal/lines.ts";
import type { Asker } from "../../lib/terminal/question.ts";
import { Terminal } from "../../lib/terminal/terminal.ts";

/** Where lines come from, and where messages go. */
export interface Streams extends Disposable {
  /** What is typed or piped in. */
  lines: AsyncIterable<string>;
  /** Shows a message of the server: escaped at a terminal, exactly as it is elsewhere. */
  onReply(text: string): void | Promise<void>;
  /** Shows a message of the client: always escaped, for a person will read it. */
  onService(message: string): void;
  /** Asks the person at the terminal, if there is one. */
  asker?: Asker;
  /** Aborts when the person at the terminal interrupts; a pipe's process is ended by the signal. */
  signal: AbortSignal;
}

/** Opens what standard input and output are. */
export function openStreams(): Streams {
  // A reader that went away is told to whoever writes next; without a listener it would end the process.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  return process.stdin.isTTY ? terminalStreams() : pipeStreams();
}

function terminalStreams(): Streams {
  const interruption = new AbortController();
  const terminal = new Terminal({
    onInterrupt: () => {
      terminal.close();
      interruption.abort();
    },
  });
  const paint = painter(terminal.isInteractive && wantsColor());
  const print = (message: string) => terminal.print(paint(escapeControl(message), "dim"));
  // While a line is being typed, only the terminal knows where another may go.
  const onService = terminal.isInteractive && process.stderr.isTTY ? print : tell;
  return {
    lines: terminal,
    onReply: (text) => terminal.print(forOutput(text)),
    onService,
    asker: { line: (prompt) => terminal.question(prompt), tell: onService },
    signal: interruption.signal,
    [Symbol.dispose]: () => terminal.close(),
  };
}

function pipeStreams(): Streams {
  return {
    lines: readLines(process.stdin),
    onReply: (text) => writeLine(process.stdout, forOutput(text)),
    onService: tell,
    signal: new AbortController().signal,
    [Symbol.dispose]: () => {},
  };
}

function forOutput(text: string): string {
  return process.stdout.isTTY ? escapeControl(text) : text;
}

function tell(message: string): void {
  process.stderr.write(`${escapeControl(message)}\n`);
}

/** Writes a line, and settles when it is taken. */
function writeLine(stream: Writable, line: string): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(`${line}\n`, (error) => error ? reject(error) : resolve())
  );
}
