import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { onTerminal, ptyTest, type Step } from "../../support/pty.ts";

const FIXTURE = new URL("./terminal_fixture.ts", import.meta.url).href;
const PASTES_UNMARKED = "\x1b[?2004l";

function converse(...steps: Step[]): Promise<string> {
  return onTerminal(["run", "--no-prompt", "--allow-net", FIXTURE], ...steps);
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

function pidIn(shown: string): number {
  return Number(/pid (\d+)\./.exec(shown)![1]);
}

for (
  const [signal, code] of [
    ["SIGTERM", 0],
    ["SIGQUIT", 131],
    ["SIGALRM", 142],
    ["SIGUSR1", 138],
    ["SIGUSR2", 140],
    ["SIGVTALRM", 154],
  ] as const
) {
  ptyTest(`Terminal gives a real terminal back at ${signal}`, async () => {
    const shown = await converse(
      ["Password: ", "\r"],
      ["editing: true", "half"],
      ["half", (shown) => Deno.kill(pidIn(shown), signal)],
    );

    assertStringIncludes(shown, PASTES_UNMARKED);
    assertStringIncludes(shown, `code ${code} sane\n`);
  });
}

ptyTest(
  "Terminal hides a secret that is typed after the program was stopped and continued",
  async () => {
    /** What a shell does: stops the program, sets its own mode, and lets it go on. */
    const stopAndContinue = async (shown: string) => {
      const pid = pidIn(shown);
      Deno.kill(pid, "SIGSTOP");
      const { success } = await new Deno.Command("stty", {
        args: ["-F", `/proc/${pid}/fd/0`, "sane"],
      })
        .output();
      assert(success);
      Deno.kill(pid, "SIGCONT");
    };

    const shown = await converse(
      ["Password: ", stopAndContinue],
      ["Password: ", "hush\r"],
      ["4 letters", "a\x1b[D!\r"],
      ["got !a", "\x04"],
    );

    assertEquals(shown.includes("hush"), false);
    assertEquals(shown.split("\x1b[?2004h").length, 3);
  },
);

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
