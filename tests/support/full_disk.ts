/**
 * Disks that fill and are freed again, under a server in a process of its own.
 *
 * @module
 */
import { PROCESSES, testWith } from "./permissions.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

/** A server whose disk may be full. */
export interface OnDisk extends AsyncDisposable {
  server: ServerProcess;
  /** Takes all the room there is. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
}

interface Disk {
  /** What shows that this machine lets us have it. */
  trial: string[];
  start(name: string, flags: string[]): Promise<OnDisk>;
}

const DISKS: Record<string, Disk> = {
  "lets no file grow": { trial: ["prlimit", "--version"], start: startLimited },
  "is full": {
    trial: ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"],
    start: startOnTmpfs,
  },
};

/** Registers a test of a server on each kind of disk, skipped with the reason where there is no such disk. */
export function testOnDisks(
  name: string,
  flags: string[],
  what: string,
  fn: (disk: OnDisk) => Promise<void>,
): void {
  for (const [kind, { trial, start }] of Object.entries(DISKS)) {
    const title = `${name} on a disk that ${kind} ${what}`;
    const run = async () => {
      await using disk = await start(name, flags);
      await fn(disk);
    };
    if (!mayRun() || works(trial)) testWith(PROCESSES, title, run);
    else {
      Deno.test({ name: `${title} (skipped: cannot ${trial.join(" ")})`, ignore: true, fn: run });
    }
  }
}

/** A limit on the size of files: what is beyond it cannot be written. It needs no right but to run prlimit. */
async function startLimited(name: string, flags: string[]): Promise<OnDisk> {
  const under = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"];
  const server = await ServerProcess.start(name, flags, { under });
  const limit = (bytes: string) => run("prlimit", `--pid=${server.pid}`, `--fsize=${bytes}:`);
  return {
    server,
    fill: () => limit("1"),
    free: () => limit("unlimited"),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A small file system in memory, and a ballast that fills it. */
async function startOnTmpfs(name: string, flags: string[]): Promise<OnDisk> {
  await using resources = new AsyncDisposableStack();
  const data = await Deno.makeTempDir();
  resources.defer(() => Deno.remove(data));
  await run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", data);
  resources.defer(() => run("umount", data));
  const server = resources.use(await ServerProcess.start(name, flags, { data }));
  const owned = resources.move();
  return {
    server,
    fill: () => writeToTheEnd(`${data}/ballast`),
    free: () => Deno.remove(`${data}/ballast`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function writeToTheEnd(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const block = new Uint8Array(4096);
  for (;;) {
    try {
      await file.write(block);
    } catch {
      return; // No room is left.
    }
  }
}

function mayRun(): boolean {
  return Deno.permissions.querySync({ name: "run" }).state === "granted";
}

function works([command = "", ...args]: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
}
