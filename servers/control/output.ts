/**
 * Output for the operator, which may go to a full disk or to nothing at all.
 *
 * @module
 */
import { escapeControl } from "../../lib/base/escape.ts";
import { within } from "../../lib/base/within.ts";
import { writeAll } from "../../lib/conn/conn_streams.ts";
import { wrapText } from "../../lib/terminal/text_layout.ts";

const MAY_LISTEN = "this task may listen on this machine, as --host 127.0.0.1, localhost or " +
  "::1, and for the whole network on --host 0.0.0.0, or :: with IPv6";
const MAY_WRITE =
  "this task may use files below data/ only, as --data data/second or --log data/my.log";

// At the end of the program.
const LAST_OUTPUT_MS = 1000;

const printing = new Set<Promise<void>>();

/**
 * Writes a text and ends its line, without blocking this thread. What cannot be written is dropped: a server continues
 * without its output.
 */
export function printLine(to: Pick<Deno.Conn, "write">, text: string): void {
  const printed = writeAll(to, new TextEncoder().encode(`${text}\n`))
    .catch(() => {/* There is no other place to report it. */})
    .finally(() => printing.delete(printed));
  printing.add(printed);
}

/** Prints a message on standard error: escaped, and on a terminal in rows that end between words. */
export function printError(text: string): void {
  const columns = Deno.stderr.isTerminal() ? Deno.consoleSize().columns || 80 : Infinity;
  printLine(Deno.stderr, wrapText(escapeControl(text), { columns }).join("\n"));
}

/** Waits until all lines are printed, but no longer than their reader may take. */
export async function linesPrinted(): Promise<void> {
  await within(LAST_OUTPUT_MS, Promise.all(printing));
}

/**
 * The message of an error. Where Deno refused a permission, it says what the server's task may do: Deno's own advice, to
 * give a flag, cannot be followed there.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const isRefused = [error, cause].some((error) => error instanceof Deno.errors.NotCapable);
  if (!isRefused) return message;
  return message.replace(
    /Requires (\w+) access.*/s,
    (_, what) => what === "net" ? MAY_LISTEN : MAY_WRITE,
  );
}
