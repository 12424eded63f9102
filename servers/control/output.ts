/**
 * Output for the operator, which may go to a full disk or to nothing at all.
 *
 * @module
 */
import type { Writable } from "node:stream";
import { within } from "../../lib/base/within.ts";

const MAY_LISTEN = "this task may listen on this machine, as --host 127.0.0.1, localhost or " +
  "::1, and for the whole network on --host 0.0.0.0, or :: with IPv6";
const MAY_WRITE =
  "this task may use files below data/ only, as --data data/second or --log data/my.log";

const MAX_WAITING_BYTES = 1024 * 1024;
// At the end of the program.
const LAST_OUTPUT_MS = 1000;

/** Standard output, or another place for bytes that may make its writer wait. */
export interface AsyncWriter {
  /** Writes some of the bytes, at least one, and gives how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Standard output, standard error, or another place for bytes. */
export interface SyncWriter {
  /** Writes some of the bytes, at least one, and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Writes a text and ends its line. What cannot be written is dropped: a server runs on without its output. */
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
 *
 * A pipe that its reader leaves full delays nothing else: 1 MiB waits, and what is beyond is dropped.
 */
export function plainOutput(to: AsyncWriter = Deno.stdout): Writable {
  // Loaded where it is used: imported, it would delay the start of every server.
  const { Writable } = globalThis.process.getBuiltinModule("node:stream");
  let waitingBytes = 0;
  let written = Promise.resolve();
  const write = async (chunk: Uint8Array) => {
    try {
      for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) output.destroy(error);
    }
    waitingBytes -= chunk.length;
  };
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (waitingBytes < MAX_WAITING_BYTES) {
        waitingBytes += chunk.length;
        written = written.then(() => write(chunk));
      }
      done();
    },
    final: (done) => void written.then(() => done()),
  });
  return output;
}

/** Ends a stream, and waits until what it took is written, but no longer than its reader may take. */
export async function endOutput(output: Writable): Promise<void> {
  await within(LAST_OUTPUT_MS, new Promise<void>((resolve) => output.end(resolve)));
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
