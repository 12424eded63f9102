import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { assertSpyCalls, spy, stub } from "@std/testing/mock";
import { join } from "node:path";
import { auditPath, LogFile } from "../../../lib/log/log_file.ts";
import { clearLog, showLog } from "../../../lib/log/log_tail.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";
import { LogFolder as Folder } from "./log_folder.ts";

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** The lines of a file without their times. */
function events(path: string): string[] {
  return Deno.readTextFileSync(path).split("\n").slice(0, -1).map((line) =>
    line.replace(/^\S+ /, "")
  );
}

testWith(FILES, "LogFile.info() writes time, level, server, event and fields in one line", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });

  log.info("client connected", { conn: 3, peer: "127.0.0.1:50312", tls: false, user: undefined });
  log.flush();

  assertMatch(
    Deno.readTextFileSync(folder.log),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO echo client connected conn=3 peer=127\.0\.0\.1:50312 tls=false\n$/,
  );
});

testWith(FILES, "LogFile.warn() and LogFile.error() write their level", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });

  log.warn("port busy");
  log.error("handler failed");
  log.flush();

  assertEquals(events(folder.log), ["WARN echo port busy", "ERROR echo handler failed"]);
});

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

testWith(
  FILES,
  "LogFile.close() writes what waits, ignores later lines, and may come twice",
  () => {
    using folder = new Folder();
    const log = LogFile.open(folder.log, { name: "echo" });

    log.info("stopped");
    log.close();
    log.info("too late");
    for (let again = 0; again < 2; again++) log.flush();
    log.close();

    assertEquals(events(folder.log), ["INFO echo stopped"]);
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

testWith(FILES, "LogFile.open() begins a new line after a torn one", () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "2026-01-31T12:34:56.789Z INFO echo cli");

  using log = LogFile.open(folder.log, { name: "echo" });
  log.info("start");
  log.flush();

  assertEquals(events(folder.log), ["INFO echo cli", "INFO echo start"]);
});

testWith(
  FILES,
  "LogFile.open() says why a file cannot be written, in an error of its class",
  () => {
    using folder = new Folder();

    const error = assertThrows(() => LogFile.open(folder.path, { name: "echo" }), Error);

    assertStringIncludes(error.message, `Cannot open the log file ${folder.path}: `);
    assertInstanceOf(error.cause, Error);
    assertEquals(error.constructor, error.cause.constructor);
  },
);

testWith(FILES, "LogFile.open() says why a folder cannot be made", () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "");
  const path = join(folder.log, "echo.log");

  const error = assertThrows(() => LogFile.open(path, { name: "echo" }), Error);

  assertStringIncludes(error.message, `Cannot open the log file ${path}: `);
});

testWith(FILES, "LogFile.open() refuses a maxBytes of 0", () => {
  using folder = new Folder();

  assertThrows(
    () => LogFile.open(folder.log, { name: "echo", maxBytes: 0 }),
    Error,
    `Cannot open the log file ${folder.log}: give at least 1 byte and 1 backup`,
  );
});

testWith(FILES, "LogFile rotates before a file grows beyond maxBytes and keeps maxBackups", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300, maxBackups: 2 });

  for (let conn = 0; conn < 100; conn++) log.info("client connected", { conn });
  log.flush();

  assertEquals(folder.names(), ["echo.log", "echo.log.1", "echo.log.2"]);
  for (const name of folder.names()) {
    assertLessOrEqual(Deno.statSync(join(folder.path, name)).size, 300);
  }
  assertEquals(events(folder.log).at(-1), "INFO echo client connected conn=99");
});

testWith(FILES, "LogFile loses no line to rotation", async () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 1000, maxBackups: 50 });

  for (let n = 0; n < 300; n++) log.info("line", { n });

  log.flush();
  const lines = await showLog(folder.log, 1000);
  assertEquals(
    lines.map((line) => line.split("n=")[1]),
    Array.from({ length: 300 }, (_, n) => `${n}`),
  );
});

testWith(FILES, "clearLog() empties the log and later lines go on at its start", async () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300 });
  for (let n = 0; n < 20; n++) log.info("old", { n });

  log.flush();
  await clearLog(folder.log);
  const emptied = folder.names().map((name) => Deno.statSync(join(folder.path, name)).size);
  log.info("new");
  log.flush();

  assertEquals(emptied, [0]);
  assertEquals(events(folder.log), ["INFO echo new"]);
});

testWith(
  FILES,
  "clearLog() by another makes room: the writer counts its bytes from 0 again",
  async () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300 });
    for (let n = 0; n < 4; n++) log.info("old", { n });
    log.flush();

    await clearLog(folder.log);
    for (let n = 0; n < 4; n++) log.info("new", { n });
    log.flush();

    assertEquals(folder.names(), ["echo.log"]);
    assertEquals(events(folder.log).length, 4);
  },
);

testWith(FILES, "LogFile goes on in a new file when its file or folder is removed", () => {
  using folder = new Folder();
  const path = join(folder.path, "logs", "echo.log");
  using log = LogFile.open(path, { name: "echo" });
  log.info("first");
  log.flush();

  Deno.removeSync(join(folder.path, "logs"), { recursive: true });
  log.info("second");
  log.flush();

  assertEquals(events(path), ["INFO echo second"]);
});

testWith(FILES, "LogFile goes on in a new file when its file is renamed", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });
  log.info("first");
  log.flush();

  Deno.renameSync(folder.log, join(folder.path, "kept"));
  log.info("second");
  log.flush();

  assertEquals(events(folder.log), ["INFO echo second"]);
});

testWith(FILES, "LogFile goes on in the file that has taken the place of its own", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });

  Deno.renameSync(folder.log, join(folder.path, "kept"));
  Deno.writeTextFileSync(folder.log, "TIME INFO chat first\n");
  log.info("second");
  log.flush();

  assertEquals(events(folder.log), ["INFO chat first", "INFO echo second"]);
});

testWith(FILES, "LogFile counts the lines it cannot write and tells when it can again", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });
  {
    using _full = stub(Deno.FsFile.prototype, "writeSync", () => {
      throw new Error("No space left on device (os error 28)");
    });
    log.info("first");
    log.info("second");
    log.flush();
    log.info("third");
    log.flush();
  }

  log.info("fourth");
  log.flush();

  assertEquals(events(folder.log), ["WARN echo lines lost=3", "INFO echo fourth"]);
});

testWith(FILES, "LogFile tells of each lost line once when the disk has room for that only", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });
  const write = Deno.FsFile.prototype.writeSync;
  {
    using _full = stub(
      Deno.FsFile.prototype,
      "writeSync",
      function (this: Deno.FsFile, p: Uint8Array) {
        const isOfLost = new TextDecoder().decode(p).includes("lost=");
        if (!isOfLost) throw new Error("No space left on device (os error 28)");
        return write.call(this, p);
      },
    );
    for (const event of ["first", "second"]) {
      log.info(event);
      log.flush();
    }
  }

  log.info("third");
  log.flush();

  assertEquals(events(folder.log), [
    "WARN echo lines lost=1",
    "WARN echo lines lost=1",
    "INFO echo third",
  ]);
});

testWith(FILES, "LogFile.close() tells of lost lines even when no line follows", () => {
  using folder = new Folder();
  {
    using log = LogFile.open(folder.log, { name: "echo" });
    using _full = stub(Deno.FsFile.prototype, "writeSync", () => {
      throw new Error("No space left on device (os error 28)");
    });
    log.info("first");
    log.flush();
  }

  assertEquals(events(folder.log), ["WARN echo lines lost=1"]);
});

testWith(FILES, "LogFile.flush() and another close() leave a closed file closed", () => {
  using folder = new Folder();
  const log = LogFile.open(folder.log, { name: "echo" });
  {
    using _full = stub(Deno.FsFile.prototype, "writeSync", () => {
      throw new Error("No space left on device (os error 28)");
    });
    log.info("lost");
    log.close();
  }

  log.flush();
  log.close();

  assertEquals(events(folder.log), []);
});

testWith(FILES, "LogFile survives a disk that fills in the middle of a line", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });
  const write = Deno.FsFile.prototype.writeSync;
  let calls = 0;
  {
    using _filling = stub(
      Deno.FsFile.prototype,
      "writeSync",
      function (this: Deno.FsFile, p: Uint8Array) {
        if (calls++ > 0) throw new Error("No space left on device (os error 28)");
        return write.call(this, p.subarray(0, 30));
      },
    );
    log.info("first");
    log.flush();
  }

  log.info("second");
  log.flush();

  assertEquals(events(folder.log).slice(1), ["WARN echo lines lost=1", "INFO echo second"]);
});

testWith(
  FILES,
  "LogFile appends where it cannot rotate, reports it once, and rotates later",
  () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "echo", maxBytes: 100, maxBackups: 1 });
    const write = (from: number, to: number) => {
      for (let n = from; n < to; n++) log.info("line", { n });
      log.flush();
    };
    {
      using _stuck = stub(Deno, "renameSync", () => {
        throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
      });
      write(0, 9);
    }
    const lines = events(folder.log);
    write(9, 11);

    assertEquals(lines.filter((line) => line.includes("log not rotated")).length, 1);
    assertEquals(lines.filter((line) => line.includes(" line n=")).length, 9);
    assertEquals(folder.names(), ["echo.log", "echo.log.1"]);
  },
);

for (const number of [1, 2, 3]) {
  testWith(FILES, `LogFile passes over a folder in the place of backup ${number}`, async () => {
    using folder = new Folder();
    Deno.mkdirSync(`${folder.log}.${number}`);
    using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300, maxBackups: 3 });

    for (let n = 0; n < 16; n++) log.info("line", { n });
    log.flush();

    const lines = await showLog(folder.log, 100);
    assertEquals(lines.map((line) => Number(line.split("n=")[1])), range(16));
    assert(folder.names().length > 3);
  });
}

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

testWith(
  FILES,
  "LogFile.audit() keeps its lines where other lines do not push them out",
  async () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "chat", maxBytes: 300, maxBackups: 1 });

    log.audit("warn", "login refused", { conn: 1 });
    for (let n = 0; n < 100; n++) log.info("data received", { n });
    log.flush();

    assertEquals((await showLog(folder.log, 100, { text: "login" })).length, 0);
    assertEquals(events(auditPath(folder.log)), ["WARN chat login refused conn=1"]);
  },
);

testWith(FILES, "LogFile.audit() does without the audit log where that cannot be opened", () => {
  using folder = new Folder();
  Deno.mkdirSync(auditPath(folder.log));
  using log = LogFile.open(folder.log, { name: "chat" });

  log.audit("info", "client logged in");
  log.flush();

  assertEquals(events(folder.log), ["INFO chat client logged in"]);
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

testWith(
  PROCESSES,
  "LogFile writes what waits when the program ends, and lets it end",
  async () => {
    using folder = new Folder();
    const program =
      `LogFile.open(Deno.args[0], { name: "echo", flushIntervalMs: 1e9 }).info("last")`;

    assertEquals(await run(folder, program), 0);

    assertEquals(events(folder.log), ["INFO echo last"]);
  },
);

testWith(PROCESSES, "LogFile writes what waits at Deno.exit()", async () => {
  using folder = new Folder();
  const program =
    `LogFile.open(Deno.args[0], { name: "echo" }).info("last"); setTimeout(() => {}, 1e9); Deno.exit(3)`;

  assertEquals(await run(folder, program), 3);

  assertEquals(events(folder.log), ["INFO echo last"]);
});

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
