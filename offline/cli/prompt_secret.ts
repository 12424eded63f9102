/**
 * Asking for a secret without showing it.
 *
 * @module
 */

/** Options of {@linkcode promptSecret}. */
export type PromptSecretOptions = {
  /** What to show for each byte typed, `*` by default; an empty text shows nothing. */
  mask?: string;
  /** Whether the line vanishes after the answer. */
  clear?: boolean;
};

const CLEAR_LINE = "\r\x1b[K";
const LINE_UP = "\r\x1b[1F";
const encoder = new TextEncoder();

/**
 * Asks on the terminal for a secret and waits for it, blocking the event loop; `null` when standard input is no terminal.
 *
 * Enter and the end of input finish the answer, backspace takes a byte back, Ctrl+C ends the program.
 */
export function promptSecret(message = "Secret", options?: PromptSecretOptions): string | null {
  if (!Deno.stdin.isTerminal()) return null;
  const { mask = "*", clear = false } = options ?? {};
  const question = `${message} `;
  write(question);
  Deno.stdin.setRaw(true, Deno.build.os === "windows" ? undefined : { cbreak: true });
  try {
    return readSecret(mask === "" ? () => {} : maskedLine(question, mask));
  } finally {
    write(clear ? CLEAR_LINE : "\n");
    Deno.stdin.setRaw(false);
  }
}

function readSecret(onChange: (typed: number) => void): string {
  const typed: number[] = [];
  const key = new Uint8Array(1);
  while (Deno.stdin.readSync(key)) {
    const byte = key[0]!;
    if (byte === 0x0d || byte === 0x0a) break; // Enter
    if (byte === 0x08 || byte === 0x7f) typed.pop(); // Backspace
    else typed.push(byte);
    onChange(typed.length);
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}

/** Draws the row of the terminal that the cursor is on; a long answer goes on in the next row. */
function maskedLine(question: string, mask: string): (typed: number) => void {
  const { columns } = Deno.consoleSize();
  let previousLength = 0;
  return (typed) => {
    const line = question + mask.repeat(typed);
    const inRow = line.length % columns;
    const startsRow = line.length < previousLength ? false : inRow === 1;
    const leavesRow = line.length < previousLength && inRow === 0;
    const row = line.length > columns ? line.slice(-(inRow || columns)) : line;
    write((startsRow ? "" : CLEAR_LINE) + (leavesRow ? LINE_UP : "") + row);
    previousLength = line.length;
  };
}

function write(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}
