import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { stub } from "@std/testing/mock";
import { dirname, join } from "node:path";
import { auditPath, LogFile } from "../../../lib/log/log_file.ts";
import { clearLog, showLog } from "../../../lib/log/log_tail.ts";
import { FILES, testWith } from "../../support/permissions.ts";
import { events, LogFolder as Folder } from "./log_folder.ts";

function fullDisk(): Disposable {
  return stub(Deno.FsFile.prototype, "writeSync", () => {
    throw new Error("No space left on device (os error 28)");
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

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

const REPLACED: Record<string, (path: string) => unknown> = {
  "was removed": (path) => Deno.removeSync(path),
  "was removed with its folder": (path) => Deno.removeSync(dirname(path), { recursive: true }),
  "was renamed": (path) => Deno.renameSync(path, `${path}.kept`),
  "was replaced": (path) => {
    Deno.renameSync(path, `${path}.kept`);
    Deno.writeTextFileSync(path, "TIME INFO chat other\n");
  },
};

for (const [what, act] of Object.entries(REPLACED)) {
  testWith(FILES, `LogFile goes on in a file of that name when its own ${what}`, () => {
    using folder = new Folder();
    const path = join(folder.path, "logs", "echo.log");
    using log = LogFile.open(path, { name: "echo" });
    log.info("first");
    log.flush();

    act(path);
    log.info("second");
    log.flush();

    const other = what === "was replaced" ? ["INFO chat other"] : [];
    assertEquals(events(path), [...other, "INFO echo second"]);
  });
}

testWith(FILES, "clearLog() empties the log, and later lines go on at its start", async () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo", maxBytes: 300 });
  for (let n = 0; n < 20; n++) log.info("old", { n });
  log.flush();

  await clearLog(folder.log);
  assertEquals(folder.names().map((name) => Deno.statSync(join(folder.path, name)).size), [0]);
  for (let n = 0; n < 4; n++) log.info("new", { n });
  log.flush();

  assertEquals(folder.names(), ["echo.log"], "its bytes are counted from 0 again");
  assertEquals(events(folder.log).length, 4);
});

testWith(
  FILES,
  "LogFile.close() writes what waits, tells of lost lines, and may come twice",
  () => {
    using folder = new Folder();
    const log = LogFile.open(folder.log, { name: "echo" });
    {
      using _full = fullDisk();
      log.info("lost");
      log.flush();
    }
    log.close();
    const again = LogFile.open(folder.log, { name: "echo" });
    again.info("stopped");
    again.close();
    again.info("too late");
    for (let times = 0; times < 2; times++) again.flush();
    again.close();
    const last = LogFile.open(folder.log, { name: "echo" });
    {
      using _full = fullDisk();
      last.info("lost for good");
      last.close();
    }
    last.flush();
    last.close();

    assertEquals(events(folder.log), ["WARN echo lines lost=1", "INFO echo stopped"]);
  },
);

testWith(FILES, "LogFile counts the lines it cannot write and tells when it can again", () => {
  using folder = new Folder();
  using log = LogFile.open(folder.log, { name: "echo" });
  {
    using _full = fullDisk();
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
