import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PROCESSES } from "../permissions.ts";

/** Runs a program on a terminal of its own, joined to our pipes; says at the end how it left it. */
const PTY = `
import os, pty, select, subprocess, sys, termios, threading
master, slave = pty.openpty()
ended, tell = os.pipe()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
threading.Thread(target=lambda: (child.wait(), os.write(tell, b"x"))).start()
sources = [0, master, ended]
while True:
    ready = select.select(sources, [], [])[0]
    if master in ready:
        os.write(1, os.read(master, 65536))
    elif 0 in ready:
        data = os.read(0, 65536)
        if data: os.write(master, data)
        else: sources.remove(0)
    elif ended in ready:
        break
flags = termios.tcgetattr(slave)[3]
sane = all(flags & flag for flag in (termios.ICANON, termios.ECHO, termios.ISIG))
print("code", child.returncode, "sane" if sane else "raw", flush=True)
`;

const FIXTURE = new URL("./terminal_fixture.ts", import.meta.url).href;
const PASTES_UNMARKED = "\x1b[?2004l";

function hasPython(): boolean {
  if (PROCESSES.some((need) => Deno.permissions.querySync(need).state !== "granted")) return false;
  try {
    return new Deno.Command("python3", { args: ["-c", "import pty"] }).outputSync().success;
  } catch {
    return false; // not installed
  }
}

/** Types each answer once what it answers to has appeared; gives everything that was shown. */
async function converse(...steps: [appears: string, typed: string][]): Promise<string> {
  const args = ["-c", PTY, Deno.execPath(), "run", "--no-prompt", "--allow-net", FIXTURE];
  const command = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped" });
  await using child = command.spawn();
  const keyboard = child.stdin.getWriter();
  let shown = "";
  let seen = 0;
  const answer = async () => {
    while (steps[0] !== undefined && shown.indexOf(steps[0][0], seen) !== -1) {
      const [appears, typed] = steps.shift()!;
      seen = shown.indexOf(appears, seen) + appears.length;
      await keyboard.write(new TextEncoder().encode(typed));
    }
  };
  await answer();
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    await answer();
  }
  await keyboard.close();
  return shown;
}

const PYTHON = hasPython();

function ptyTest(name: string, fn: () => Promise<void>): void {
  if (PYTHON) Deno.test(name, fn);
  else Deno.test({ name: `${name} (skipped: needs --allow-run and python3)`, ignore: true, fn });
}

ptyTest("Terminal on a real terminal edits lines, hides a secret, and ends at Ctrl-D", async () => {
  const shown = await converse(
    ["Password: ", "hush\r"],
    ["editing: true", "helo\x1b[Dl\r"],
    ["got hello", "\x04"],
  );

  assertStringIncludes(shown, "4 letters");
  assertEquals(shown.includes("hush"), false);
  assertMatch(shown, /ended\r\ncode 0 sane\n$/);
});

for (
  const [how, typed, code] of [
    ["Ctrl-C", "half\x03", 0],
    ["Deno.exit()", "leave\r", 0],
    ["an uncaught error", "crash\r", 1],
  ] as const
) {
  ptyTest(`Terminal gives a real terminal back after ${how}`, async () => {
    const shown = await converse(["Password: ", "\r"], ["editing: true", typed]);

    assertStringIncludes(shown, PASTES_UNMARKED);
    assertStringIncludes(shown, `code ${code} sane\n`);
  });
}

ptyTest("Terminal loses nothing that was typed before it read, and sends no block", async () => {
  const shown = await converse(
    ["", "hush\rone\rtwo\r"],
    ["[y/N]", "y\r"],
    ["got two", "\x04"],
  );

  assertStringIncludes(shown, "4 letters");
  assertStringIncludes(shown, "got one");
  assertStringIncludes(shown, "code 0 sane");
});
