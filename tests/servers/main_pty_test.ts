import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import {
  HANG_UP,
  onTerminalWith,
  ptyTest,
  type Step,
  STOP_OUTPUT,
  TERMINATE,
} from "../support/pty.ts";
import { taskArgs } from "../../tools/shared/server_process.ts";

/** Runs the echo server on a terminal; a step may ask for its process id. */
async function onConsole(
  flags: string[],
  steps: (pid: () => Promise<number>) => Step[],
  { onLog, env = {} }: { onLog?(log: string): void; env?: Record<string, string> } = {},
): Promise<string> {
  const data = await Deno.makeTempDir();
  const pid = async () => {
    const log = await Deno.readTextFile(`${data}/logs/echo.log`);
    return Number(/ pid=(\d+) /.exec(log)![1]);
  };
  try {
    const args = [...taskArgs("echo", data), "--data", data, ...flags];
    const shown = await onTerminalWith(env, args, ...steps(pid));
    if (onLog) onLog(await Deno.readTextFile(`${data}/logs/echo.log`));
    return shown;
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

ptyTest(
  "main.ts asks for host and port, again after a bad answer, and takes commands",
  async () => {
    const port = freePort();

    const shown = await onConsole([], () => [
      ["Host [127.0.0.1]: ", "http://x\r"],
      ["give the host alone", "nosuch.invalid\r"],
      ["Cannot listen on nosuch.invalid: give 127.0.0.1", ""],
      ["Host [127.0.0.1]: ", "\r"],
      ["Port [9090]: ", "70000\r"],
      ["give a whole number from 1 to 65535", `${port}\r`],
      ["Listening on 127.0.0.1:", "who\r"],
      ["Nobody is connected", "stop\r"],
    ]);

    assertStringIncludes(shown, "Stopped");
    assertEquals(shown.includes("The console is closed"), false);
    assertStringIncludes(shown, "code 0 sane");
  },
);

ptyTest(
  "main.ts asks for nothing that a flag told, and asks before it clears the log",
  async () => {
    const shown = await onConsole(["--host=127.0.0.1", "--port=0"], () => [
      ["Listening on 127.0.0.1:", "clear-logs\r"],
      ["[y/N] ", "n\r"],
      ["Nothing changed", "\x03"],
    ], { onLog: (log) => assertMatch(log, / stop by=Ctrl-C\n.* stopped\n$/) });

    assertMatch(shown, /Stopped\r\n/);

    assertEquals(/Host \[|Port \[|The console is closed/.test(shown), false);
    assertStringIncludes(shown, "code 0 sane");
  },
);

ptyTest("main.ts breaks a long error between words", async () => {
  const shown = await onConsole(["--host=192.0.2.7", "--port=0"], () => []);

  assertMatch(shown, /^Cannot listen on 192\.0\.2\.7: [^\r]+\r\n {2}\S+/m);
});

ptyTest("main.ts says at Ctrl-D that it serves on, and how to end it", async () => {
  const shown = await onConsole(["--host=127.0.0.1", "--port=0"], (pid) => [
    ["Listening on 127.0.0.1:", "who\r"],
    ["Nobody is connected", "\x04"],
    ["Ctrl-C ends it", async () => Deno.kill(await pid(), "SIGINT")],
  ]);

  assertStringIncludes(shown, "code 0 sane");
});

for (const key of ["\x04", "half\x03"]) {
  ptyTest(`main.ts starts no server after ${JSON.stringify(key)} at a question`, async () => {
    const shown = await onConsole([], () => [["Host [127.0.0.1]: ", key]]);

    if (key === "\x04") assertStringIncludes(shown, "Cancelled: the server was not started");
    assertEquals(/Listening|Port \[/.test(shown), false);
    assertStringIncludes(shown, "code 130 sane");
  });
}

const LAST_STEPS: [command: string, shown: string][] = [["who", "Nobody is connected"], [
  "clear-logs",
  "[y/N] ",
]];

for (const [command, appears] of LAST_STEPS) {
  ptyTest(
    `main.ts stops in order when its terminal goes away after ${command}, and logs why`,
    async () => {
      const shown = await onConsole(["--host=127.0.0.1", "--port=0"], () => [
        ["Listening on 127.0.0.1:", `${command}\r`],
        [appears, HANG_UP],
      ], { onLog: (log) => assertMatch(log, / stop by=hang-up\n.* stopped\n$/) });

      assertStringIncludes(shown, "code 0");
    },
  );
}

ptyTest("main.ts stops in order at the SIGHUP of a terminal whose console is closed", async () => {
  const shown = await onConsole(["--host=127.0.0.1", "--port=0"], (pid) => [
    ["Listening on 127.0.0.1:", "\x04"],
    ["Ctrl-C ends it", async () => Deno.kill(await pid(), "SIGHUP")],
  ], { onLog: (log) => assertMatch(log, / stop by=SIGHUP\n.* stopped\n$/) });

  assertStringIncludes(shown, "code 0 sane");
});

for (const command of ["pause", "stop"]) {
  ptyTest(`main.ts on a terminal says for whom ${command} waits`, async () => {
    const port = freePort();
    const clients: FramedConn[] = [];

    const shown = await onConsole(["--host=127.0.0.1", `--port=${port}`], () => [
      [
        "Listening on 127.0.0.1:",
        async () => void clients.push(await FramedConn.connect({ port })),
      ],
      ["", () => clients[0]!.request("accepted")],
      ["", "who\r"],
      ["1  -  127.0.0.1:", `${command}\r`],
      ["Waiting 5 s at most for 1 connection", () => clients[0]!.close()],
      ["", command === "stop" ? "" : "stop\r"],
    ]);

    assertStringIncludes(shown, "Stopped");
    assertStringIncludes(shown, "code 0 sane");
  });
}

for (const signal of ["SIGTERM", "SIGQUIT"] as const) {
  ptyTest(`main.ts on a terminal stops in order at ${signal}`, async () => {
    const shown = await onConsole(["--host=127.0.0.1", "--port=0"], (pid) => [
      ["Listening on 127.0.0.1:", "who\r"],
      ["Nobody is connected", async () => Deno.kill(await pid(), signal)],
    ]);

    assertMatch(shown, /Stopped\r\n/);
    assertStringIncludes(shown, "code 0 sane");
  });
}

ptyTest(
  "main.ts in the background of a terminal serves, and leaves the terminal alone",
  async () => {
    const port = freePort();
    // As proc(5) shows a process of group 5 on a terminal whose foreground group is 9.
    const env = { TTY: "7 (de) no) S 1 5 5 34816 9 0" };

    const shown = await onConsole([`--port=${port}`], (pid) => [
      ["In the background there is no console", "stop\r"],
      ["", async () => {
        using conn = await FramedConn.connect({ port });
        assertEquals(await conn.request("a"), "a");
      }],
      ["", async () => Deno.kill(await pid(), "SIGTERM")],
    ], { env });

    assertEquals(["Host [", "\x1b", "Stopped"].filter((text) => shown.includes(text)), []);
    assertStringIncludes(shown, "code 0 sane");
  },
);

ptyTest("main.ts obeys its console and SIGTERM while its terminal takes no output", async () => {
  const port = freePort();
  const clients: FramedConn[] = [];

  const shown = await onConsole(["--host=127.0.0.1", `--port=${port}`], () => [
    ["Listening on 127.0.0.1:", STOP_OUTPUT],
    ["", async () => void clients.push(await FramedConn.connect({ port }))],
    ["", "who\rkick 1\r"],
    ["", async () => assertStringIncludes((await clients[0]!.receive())!, "Goodbye")],
    ["", () => clients[0]!.close()],
    ["", TERMINATE],
  ], { onLog: (log) => assertMatch(log, / stop by=SIGTERM\n[^]* stopped\n$/) });

  assertStringIncludes(shown, "code 0 sane");
});

ptyTest("main.ts says at its end that the terminal was in raw mode before", async () => {
  const env = { TTY: "7 (deno) S 1 5 5 34816 5 0 speed 38400 baud; -isig -icanon -echo echok" };

  const shown = await onConsole(["--host=127.0.0.1", "--port=0"], () => [
    ["Listening on 127.0.0.1:", "stop\r"],
    ["Stopped", ""],
    ["left this terminal in raw mode: type stty sane", ""],
  ], { env });

  assertStringIncludes(shown, "code 0");
});
