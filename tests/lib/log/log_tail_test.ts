import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { join } from "node:path";
import { LogFile } from "../../../lib/log/log_file.ts";
import { clearLog, followLog, showLog } from "../../../lib/log/log_tail.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";
import { LogFolder as Folder } from "./log_folder.ts";

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
  lines.splice(2500, 0, "x".repeat(200_000));
  Deno.writeTextFileSync(folder.log, lines.join("\n") + "\n");

  for (const count of [1, 1000, 2501, 4999, 5001, 5002]) {
    assertEquals(await showLog(folder.log, count), lines.slice(-count));
  }
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

testWith(FILES, "showLog() reads on when the disk gives one byte a call", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.log, "first\nsecond\n");
  const { read } = Deno.FsFile.prototype;
  using _oneByte = stub(Deno.FsFile.prototype, "read", function (this: Deno.FsFile, p) {
    return read.call(this, p.subarray(0, 1));
  });

  assertEquals(await showLog(folder.log, 9), ["first", "second"]);
});

testWith(FILES, "clearLog() removes every backup and nothing else", async () => {
  using folder = new Folder();
  await clearLog(folder.log);
  await clearLog(join(folder.path, "no", "such.log"));
  assertEquals([folder.names(), await showLog(folder.log, 10)], [[], []]);
  const others = ["chat.log.1", "echo.log", "echo.log.1.gz", "echo.log.old2", "echo.logs.1"];
  for (const name of [...others, "echo.log.1", "echo.log.7", "echo.log.12"]) {
    Deno.writeTextFileSync(join(folder.path, name), "line\n");
  }

  await clearLog(folder.log);

  assertEquals(folder.names(), others);
});

testWith(FILES, "showLog() gives the last lines that contain a text", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.log}.1`, "a 1\nb 2\na 3\n");
  Deno.writeTextFileSync(folder.log, "b 4\na 5\nb 6\n");

  assertEquals(await showLog(folder.log, 2, { text: "a " }), ["a 3", "a 5"]);
  assertEquals(await showLog(folder.log, 9, { text: "nothing" }), []);
});

testWith(
  FILES,
  "followLog() gives later lines, across rotations and a clear, until its signal",
  async () => {
    using folder = new Folder();
    using log = LogFile.open(folder.log, { name: "echo", maxBytes: 400, maxBackups: 9 });
    const write = (event: string) => {
      log.info(event);
      log.info("other");
      log.flush();
    };
    write("before");
    const end = new AbortController();
    const followed = followLog(folder.log, { text: "new", signal: end.signal, intervalMs: 1 });

    const first = followed.next();
    const lines = [];
    write("new0");
    lines.push((await first).value);
    for (let n = 1; n < 10; n++) {
      write(`new${n}`);
      lines.push((await followed.next()).value);
    }
    await clearLog(folder.log);
    const next = followed.next();
    write("new again");
    lines.push((await next).value);
    end.abort();

    assertEquals(lines.map((line) => line?.split("echo ")[1]), [
      ...Array.from({ length: 10 }, (_, n) => `new${n}`),
      "new again",
    ]);
    assertEquals(await followed.next(), { value: undefined, done: true });
  },
);

testWith(
  PROCESSES,
  "Logs are shown, followed and emptied without waiting for a named pipe",
  async () => {
    if (Deno.build.os === "windows") return;
    using folder = new Folder();
    await new Deno.Command("mkfifo", { args: [folder.log] }).output();
    const { signal } = new AbortController();

    for (
      const use of [
        () => showLog(folder.log, 1),
        () => followLog(folder.log, { signal }).next(),
        () => clearLog(folder.log),
      ]
    ) await assertRejects(use, Error, `${folder.log} is a named pipe. Move it away`);
  },
);
