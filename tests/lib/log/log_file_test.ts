import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { join } from "node:path";
import { LogFile } from "../../../lib/log/log_file.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";
import { events, LogFolder as Folder } from "./log_folder.ts";

testWith(FILES, "LogFile.info() writes time, level, server, event and fields in one line", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });

  log.info("client connected", { conn: 3, peer: "127.0.0.1:50312", tls: false, user: undefined });
  log.warn("port busy");
  log.error("handler failed");
  log.flush();

  assertMatch(
    Deno.readTextFileSync(folder.log),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO echo client connected conn=3 peer=127\.0\.0\.1:50312 tls=false\n/,
  );
  assertEquals(events(folder.log).slice(1), ["WARN echo port busy", "ERROR echo handler failed"]);
});

testWith(
  FILES,
  "LogFile.line() writes a line like info(), in order with others, until close()",
  () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "echo" });

    log.info("data received", { conn: 3, bytes: 5 });
    log.line("data sent conn=3 bytes=5");
    log.close();
    log.line("data sent conn=3 bytes=6");

    assertEquals(events(folder.log), [
      "INFO echo data received conn=3 bytes=5",
      "INFO echo data sent conn=3 bytes=5",
    ]);
  },
);

testWith(FILES, "LogFile.info() keeps a hostile value in its line", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });

  log.info("name\nINFO", { name: "x\n2026-01-01T00:00:00.000Z INFO echo stopped\x1b[2J\u202e" });
  log.flush();

  assertEquals(events(folder.log), [
    'INFO echo name\\nINFO name="x\\n2026-01-01T00:00:00.000Z INFO echo stopped\\u001b[2J\\u{202e}"',
  ]);
});

testWith(
  FILES,
  "LogFile puts lines on disk after the flush interval, without being asked",
  async () => {
    using folder = new Folder();
    using time = new FakeTime();
    using log = LogFile.open(folder.log, { name: "echo", flushIntervalMs: 200 });

    log.info("first");
    await time.tickAsync(199);
    const before = events(folder.log);
    await time.tickAsync(1);
    const after = events(folder.log);
    log.info("second");
    await time.tickAsync(200);

    assertEquals(before, []);
    assertEquals(after, ["INFO echo first"]);
    assertEquals(events(folder.log), ["INFO echo first", "INFO echo second"]);
  },
);

testWith(
  FILES,
  "LogFile sets no timer for lines that are flushed in the turn they came in",
  async () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "echo" });
    using timers = spy(globalThis, "setTimeout");

    log.info("start");
    log.flush();
    await Promise.resolve();

    assertSpyCalls(timers, 0);
    assertEquals(events(folder.log), ["INFO echo start"]);
  },
);

testWith(FILES, "LogFile.open() makes the folder and adds to the file of the last run", () => {
  using folder = new Folder();
  const path = join(folder.path, "data", "logs", "echo.log");

  for (let run = 1; run <= 2; run++) {
    using log = LogFile.open(path, { name: "echo" });
    log.info("start", { run });
  }

  assertEquals(events(path), ["INFO echo start run=1", "INFO echo start run=2"]);
});

testWith(FILES, "LogFile.open() begins a new line after a truncated one", () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "2026-01-31T12:34:56.789Z INFO echo cli");

  using log = LogFile.open(folder.log, { name: "echo" });
  log.info("start");
  log.flush();

  assertEquals(events(folder.log), ["INFO echo cli", "INFO echo start"]);
});

testWith(PROCESSES, "LogFile.open() refuses a named pipe, which it would wait for", () => {
  if (Deno.build.os === "windows") return;
  using folder = new Folder();
  new Deno.Command("mkfifo", { args: [folder.log] }).outputSync();

  assertThrows(() => LogFile.open(folder.log, { name: "echo" }), Error, "is a named pipe");
});

testWith(FILES, "LogFile makes its folder 0700 and its files 0600, also one that was not", () => {
  if (Deno.build.os === "windows") return;
  using folder = new Folder();
  const path = join(folder.path, "data", "logs", "echo.log");
  Deno.writeTextFileSync(folder.log, "", { mode: 0o644 });
  Deno.chmodSync(folder.log, 0o644);

  for (const file of [path, folder.log]) {
    using log = LogFile.open(file, { name: "echo", maxBytes: 100 });
    for (let n = 0; n < 3; n++) log.audit("warn", "login refused", { n });
  }

  const modes = [
    "data",
    "data/logs",
    ...["", ".1"].flatMap((end) => [
      `data/logs/echo.log${end}`,
      `data/logs/echo.audit.log${end}`,
      `echo.log${end}`,
    ]),
  ].map((name) => Deno.statSync(join(folder.path, name)).mode! & 0o777);
  assertEquals(modes.slice(0, 2), [0o700, 0o700]);
  assertEquals(modes.slice(2), Array(6).fill(0o600));
});

/** Runs a program that opens a log in this folder, and returns its exit code. */
async function run(folder: Folder, program: string, flags = ["-RW"]): Promise<number> {
  const module = new URL("../../../lib/log/log_file.ts", import.meta.url);
  const script = join(folder.path, "program.ts");
  Deno.writeTextFileSync(script, `import { LogFile } from "${module}";\n${program}`);
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, "--no-prompt", ...flags, script, folder.log],
    stdout: "null",
    stderr: "null",
  }).output();
  return code;
}

testWith(PROCESSES, "LogFile needs no more than its folder", async () => {
  using folder = new Folder();
  const program = `
    using log = LogFile.open(Deno.args[0], { name: "echo", maxBytes: 300 });
    for (let n = 0; n < 20; n++) log.info("line", { n });
    log.audit("info", "last");`;

  const code = await run(folder, program, [`-R=${folder.path}`, `-W=${folder.path}`]);

  assertEquals(code, 0);
  assertEquals(events(folder.log).at(-1), "INFO echo last");
});

testWith(PROCESSES, "LogFile.open() keeps the class of a refused permission", async () => {
  using folder = new Folder();
  const program = `
    try {
      LogFile.open(Deno.args[0], { name: "echo" });
    } catch (error) {
      Deno.exit(error instanceof Deno.errors.NotCapable ? 9 : 1);
    }`;

  assertEquals(await run(folder, program, []), 9);

  assert(!folder.names().includes("echo.log"));
});

for (
  const [how, program, expected] of [
    ["when the program ends, and lets it end", "", 0],
    ["at Deno.exit()", "setTimeout(() => {}, 1e9); Deno.exit(3);", 3],
  ] as const
) {
  testWith(PROCESSES, `LogFile writes what waits ${how}`, async () => {
    using folder = new Folder();
    const open = `LogFile.open(Deno.args[0], { name: "echo", flushIntervalMs: 1e9 })`;

    assertEquals(await run(folder, `${open}.info("last"); ${program}`), expected);

    assertEquals(events(folder.log), ["INFO echo last"]);
  });
}

testWith(FILES, "LogFile.open() says why it cannot, in an error of the same class", () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "");
  const inFile = join(folder.log, "echo.log");
  const failure = (path: string, maxBytes = 100) => {
    const error = assertThrows(() => LogFile.open(path, { name: "echo", maxBytes }), Error);
    assertStringIncludes(error.message, `Cannot open the log file ${path}: `);
    assertInstanceOf(error.cause, Error);
    assertEquals(error.constructor, error.cause.constructor);
    return error;
  };

  for (const path of [folder.path, inFile]) failure(path);
  assertStringIncludes(failure(folder.log, 0).message, "give at least 1 byte and 1 backup");
});
