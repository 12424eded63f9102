/**
 * Programs on a real terminal, by the help of python3.
 *
 * @module
 */
import { PROCESSES } from "./permissions.ts";

/** Runs a program on a terminal of 160 columns, joined to our pipes; says at the end how it left it. */
const PTY = `
import fcntl, os, pty, select, signal, struct, subprocess, sys, termios, threading
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
ended, tell = os.pipe()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
signal.signal(signal.SIGUSR1, lambda *_: termios.tcflow(slave, termios.TCOOFF))
signal.signal(signal.SIGUSR2, lambda *_: child.terminate())
threading.Thread(target=lambda: (child.wait(), os.write(tell, b"x"))).start()
sources = [0, master, ended]
while True:
    ready = select.select(sources, [], [])[0]
    if master in ready:
        os.write(1, os.read(master, 65536))
    elif 0 in ready:
        data = os.read(0, 65536)
        if data: os.write(master, data)
        else: # the window is closed
            sources = [ended]
            os.close(master)
    elif ended in ready:
        break
if master not in sources:
    print("code", child.returncode, flush=True)
    sys.exit()
flags = termios.tcgetattr(slave)[3]
sane = all(flags & flag for flag in (termios.ICANON, termios.ECHO, termios.ISIG))
print("code", child.returncode, "sane" if sane else "raw", flush=True)
`;

function hasPython(): boolean {
  if (PROCESSES.some((need) => Deno.permissions.querySync(need).state !== "granted")) return false;
  try {
    return new Deno.Command("python3", { args: ["-c", "import pty"] }).outputSync().success;
  } catch {
    return false; // not installed
  }
}

/** A program that waits for a step in vain is ended. */
const DEADLINE_MS = 60_000;

/** Closes the terminal, as a person closes its window. */
export const HANG_UP = Symbol("hang up");

/** Stops the output of the terminal, as Ctrl-S does: who writes to it waits. */
export const STOP_OUTPUT = Symbol("stop output");

/** Sends SIGTERM to the program. */
export const TERMINATE = Symbol("terminate");

/** What to do once something has appeared on the terminal: type a text, or anything else, with all that was shown. */
export type Step = [
  appears: string,
  act:
    | string
    | typeof HANG_UP
    | typeof STOP_OUTPUT
    | typeof TERMINATE
    | ((shown: string) => unknown),
];

/** Runs `deno` with `args` on a terminal of its own, and gives everything that was shown. */
export function onTerminal(args: string[], ...steps: Step[]): Promise<string> {
  return onTerminalWith({}, args, ...steps);
}

/** Does so with more in its environment. */
export async function onTerminalWith(
  env: Record<string, string>,
  args: string[],
  ...steps: Step[]
): Promise<string> {
  const command = new Deno.Command("python3", {
    args: ["-c", PTY, Deno.execPath(), ...args],
    env,
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  });
  await using child = command.spawn();
  const keyboard = child.stdin.getWriter();
  const deadline = setTimeout(() => child.kill(), DEADLINE_MS);
  let shown = "";
  let seen = 0;
  const answer = async () => {
    while (steps[0] !== undefined && shown.indexOf(steps[0][0], seen) !== -1) {
      const [appears, act] = steps.shift()!;
      seen = shown.indexOf(appears, seen) + appears.length;
      if (act === HANG_UP) await keyboard.close();
      else if (act === STOP_OUTPUT) child.kill("SIGUSR1");
      else if (act === TERMINATE) child.kill("SIGUSR2");
      else if (typeof act === "string") await keyboard.write(new TextEncoder().encode(act));
      else await act(shown);
    }
  };
  await answer();
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    await answer();
  }
  clearTimeout(deadline);
  await keyboard.close().catch(() => {}); // after a hang-up
  if (steps.length > 0) throw new Error(`${JSON.stringify(steps[0])} does not follow ${shown}`);
  return shown;
}

const PYTHON = hasPython();

/** Registers a test, or one that is skipped where there is no pseudo-terminal. */
export function ptyTest(name: string, fn: () => Promise<void>): void {
  if (PYTHON) Deno.test(name, fn);
  else Deno.test({ name: `${name} (skipped: needs --allow-run and python3)`, ignore: true, fn });
}
