/**
 * Output for the operator, which may go to a full disk or to nothing at all.
 *
 * @module
 */
import type { Writable } from "node:stream";

const MAY_LISTEN = "this task may listen on this machine, as --host 127.0.0.1, localhost or " +
  "::1, and for the whole network on --host 0.0.0.0, or :: with IPv6";
const MAY_WRITE =
  "this task may use files below data/ only, as --data data/second or --log data/my.log";

/** Standard output, standard error, or another place for bytes. */
export interface SyncWriter {
  /** Writes some of the bytes, at least one, and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Writes a text and ends its line. What cannot be written is dropped: a server goes on without its output. */
export function printLine(to: SyncWriter, text: string): void {
  try {
    writeAll(to, new TextEncoder().encode(`${text}\n`));
  } catch {
    // There is no other place to report it.
  }
}

/**
 * Makes a stream for standard output where that is no terminal. It drops what cannot be written and writes again once
 * there is room, where `process.stdout` would throw and write nothing more. Only a pipe without a reader is an error.
 */
export function plainOutput(to: SyncWriter = Deno.stdout): Writable {
  // Loaded where it is used: imported, it would delay the start of every server.
  const { Writable } = globalThis.process.getBuiltinModule("node:stream");
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        writeAll(to, chunk);
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) return done(error);
      }
      done();
    },
  });
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

function writeAll(to: SyncWriter, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += to.writeSync(bytes.subarray(written));
}
