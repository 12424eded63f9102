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
import { LogFile } from "../../../lib/log/log_file.ts";
import { clearLog, showLog } from "../../../lib/log/log_tail.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";

/** A folder for one test, with the path of a log in it. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly log = join(this.path, "echo.log");

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map((entry) => entry.name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
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
    `Cannot open the log file ${folder.log}: "maxBytes" must be >= 1`,
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

  const lines = await log.show(1000);
  assertEquals(
    lines.map((line) => line.split("n=")[1]),
    Array.from({ length: 300 }, (_, n) => `${n}`),
  );
});

testWith(FILES, "LogFile.clear() empties the log and later lines go on at its start", async () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300 });
  for (let n = 0; n < 20; n++) log.info("old", { n });

  await log.clear();
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

testWith(FILES, "clearLog() removes every backup and nothing else", async () => {
  using folder = new Folder();
  for (const name of ["echo.log", "echo.log.1", "echo.log.7", "echo.log.old", "chat.log.1"]) {
    Deno.writeTextFileSync(join(folder.path, name), "line\n");
  }

  await clearLog(folder.log);

  assertEquals(folder.names(), ["chat.log.1", "echo.log", "echo.log.old"]);
});

testWith(FILES, "clearLog() of a log that is not there does nothing", async () => {
  using folder = new Folder();

  await clearLog(folder.log);
  await clearLog(join(folder.path, "no", "such.log"));

  assertEquals(folder.names(), []);
});

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

testWith(FILES, "LogFile survives a rotation that fails half-way", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 100, maxBackups: 1 });
  {
    using _stuck = stub(Deno, "renameSync", () => {
      throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
    });
    for (let n = 0; n < 4; n++) log.info("line", { n });
    log.flush();
  }

  log.info("later");
  log.flush();

  const lines = [...events(`${folder.log}.1`), ...events(folder.log)];
  assertEquals(lines.filter((line) => line.includes("lost=")).length, 1);
  assertEquals(lines.at(-1), "INFO echo later");
});

testWith(FILES, "showLog() reads the last lines, reaching into the backups", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.log}.2`, "1\n2\n");
  Deno.writeTextFileSync(`${folder.log}.1`, "3\n4\n");
  Deno.writeTextFileSync(folder.log, "5\n6\n");

  assertEquals(await showLog(folder.log, 0), []);
  assertEquals(await showLog(folder.log, 1), ["6"]);
  assertEquals(await showLog(folder.log, 3), ["4", "5", "6"]);
  assertEquals(await showLog(folder.log, 100), ["1", "2", "3", "4", "5", "6"]);
});

testWith(FILES, "showLog() of a log that is not there is empty", async () => {
  using folder = new Folder();

  assertEquals(await showLog(folder.log, 10), []);
});

testWith(FILES, "showLog() of a log that is emptied at that moment is empty", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "line\n");
  const { open } = Deno;
  using _opening = stub(Deno, "open", async (path) => {
    const file = await open(path);
    const info = await file.stat();
    file.stat = async () => (await Deno.truncate(folder.log), info);
    return file;
  });

  assertEquals(await showLog(folder.log, 10), []);
});

testWith(FILES, "showLog() keeps lines and characters whole across its blocks", async () => {
  using folder = new Folder();
  const lines = Array.from({ length: 5000 }, (_, n) => `${n} ${"ж€😀".repeat(n % 9)}`);
  Deno.writeTextFileSync(folder.log, lines.join("\n") + "\n");

  for (const count of [1, 1000, 4999, 5000, 5001]) {
    assertEquals(await showLog(folder.log, count), lines.slice(-count));
  }
});

testWith(FILES, "showLog() keeps a line whole that is longer than a block", async () => {
  using folder = new Folder();
  const long = "x".repeat(200_000);
  Deno.writeTextFileSync(folder.log, `first\n${long}\n`);

  assertEquals(await showLog(folder.log, 1), [long]);
});

testWith(FILES, "showLog() reads little of a long log", async () => {
  using folder = new Folder();
  {
    using file = Deno.openSync(folder.log, { create: true, write: true });
    file.truncateSync(1024 ** 3);
    file.seekSync(0, Deno.SeekMode.End);
    file.writeSync(new TextEncoder().encode("\nlast line\n"));
  }
  let bytes = 0;
  const read = Deno.FsFile.prototype.read;
  using _counted = stub(
    Deno.FsFile.prototype,
    "read",
    function (this: Deno.FsFile, p: Uint8Array) {
      bytes += p.byteLength;
      return read.call(this, p);
    },
  );

  assertEquals(await showLog(folder.log, 1), ["last line"]);
  assertLessOrEqual(bytes, 64 * 1024);
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
    await log.show(10);
    await log.clear();
    log.info("last");`;

  const code = await run(folder, program, [`-R=${folder.path}`, `-W=${folder.path}`]);

  assertEquals(code, 0);
  assertEquals(events(folder.log), ["INFO echo last"]);
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

testWith(FILES, "clearLog() leaves files that are no backups", async () => {
  using folder = new Folder();
  const names = ["echo.log", "echo.log.1.gz", "echo.log.old2", "echo.logs.1"];
  for (const name of [...names, "echo.log.12"]) {
    Deno.writeTextFileSync(join(folder.path, name), "x");
  }

  await clearLog(folder.log);

  assertEquals(folder.names(), names);
});

testWith(FILES, "showLog() reads on when the disk gives one byte a call", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "first\nsecond\n");
  const { read } = Deno.FsFile.prototype;
  using _oneByte = stub(Deno.FsFile.prototype, "read", function (this: Deno.FsFile, p) {
    return read.call(this, p.subarray(0, 1));
  });

  assertEquals(await showLog(folder.log, 9), ["first", "second"]);
});
