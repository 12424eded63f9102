import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import * as stdBase from "@std/log/base-handler";
import * as stdFile from "@std/log/file-handler";
import * as stdLevels from "@std/log/levels";
import * as stdLogger from "@std/log/logger";
import { FakeTime } from "@std/testing/time";
import * as offlineBase from "../../../tools/std/log/base_handler.ts";
import * as offlineFile from "../../../tools/std/log/file_handler.ts";
import * as offlineLevels from "../../../tools/std/log/levels.ts";
import * as offlineLogger from "../../../tools/std/log/logger.ts";
import { testInFolder } from "../../support/permissions.ts";

const std = { ...stdBase, ...stdFile, ...stdLevels, ...stdLogger };
const offline = {
  ...offlineBase,
  ...offlineFile,
  ...offlineLevels,
  ...offlineLogger,
} as unknown as typeof std; // tested for less

for (const [source, log] of Object.entries({ std, offline })) {
  const test = (name: string, fn: () => void) => Deno.test(`${source}: ${name}`, fn);
  const fileTest = (name: string, fn: (folder: string) => void) =>
    testInFolder(`${source}: ${name}`, fn);

  class Lines extends log.BaseHandler {
    lines: string[] = [];
    log(msg: string) {
      this.lines.push(msg);
    }
  }

  const record = (level: stdLevels.LogLevel, msg: string) =>
    new log.LogRecord({ level, msg, args: [], loggerName: "echo" });

  test("LogLevels have names", () => {
    assertEquals(Object.keys(log.LogLevels), log.LogLevelNames);
    assertEquals(log.LogLevelNames, ["NOTSET", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
    assertEquals(Object.values(log.LogLevels), [0, 10, 20, 30, 40, 50]);
    assertEquals(log.getLevelByName("WARN"), 30);
    assertEquals(log.getLevelName(30), "WARN");
    assertThrows(() => log.getLevelByName("LOUD" as never), Error, "no level named LOUD");
    assertThrows(() => log.getLevelName(31 as never), Error, "no name for level: 31");
  });

  test("LogRecord keeps what was logged, and when", () => {
    using time = new FakeTime(1_000);
    const args = [1];
    const made = new log.LogRecord({ msg: "hi", args, level: 20, loggerName: "echo" });
    args.push(2);
    time.tick(5);
    const { msg, level, levelName, loggerName, datetime } = made;
    assertEquals([msg, level, levelName, loggerName], ["hi", 20, "INFO", "echo"]);
    assertEquals([made.args, datetime.getTime()], [[1], 1_000]);
  });

  test("BaseHandler passes on what reaches its level", () => {
    const handler = new Lines("WARN");
    handler.handle(record(20, "no"));
    handler.handle(record(30, "yes"));
    assertEquals(handler.lines, ["WARN yes"]);
  });

  test("Logger hands records of its level to every handler", () => {
    const handlers = [new Lines("DEBUG"), new Lines("ERROR")] as const;
    const logger = new log.Logger("echo", "INFO", { handlers: [...handlers] });
    logger.info("i");
    logger.warn("w");
    logger.error("e");
    assertEquals(handlers[0].lines, ["INFO i", "WARN w", "ERROR e"]);
    assertEquals([handlers[1].lines, logger.loggerName], [["ERROR e"], "echo"]);
    const strict = new log.Logger("echo", "WARN", { handlers: [handlers[0]] });
    assertEquals(strict.info(() => assertEquals(1, 2)), undefined);
  });

  test("Logger makes text of any value, calls functions of its level, and returns what it logged", () => {
    const handler = new Lines("DEBUG", {
      formatter: ({ loggerName, msg }) => `${loggerName} ${msg}`,
    });
    const logger = new log.Logger("echo", "INFO", { handlers: [handler] });
    logger.info(true);
    logger.info(null);
    logger.info({ a: 1, b: "x", c: { d: [7] } });
    logger.info(new RangeError("limit"));
    assertEquals(handler.lines.slice(0, 3), [
      "echo true",
      "echo null",
      'echo {"a":1,"b":"x","c":{"d":{"0":7}}}',
    ]);
    assertMatch(handler.lines[3]!, /^echo RangeError: limit\n\s+at /);
    assertEquals([logger.info(() => 5), logger.info("i")], [5, "i"]);
    assertEquals(handler.lines.slice(4), ["echo 5", "echo i"]);
  });

  fileTest("FileHandler buffers lines until flush()", (folder) => {
    const filename = `${folder}/log`;
    using handler = new log.FileHandler("INFO", { filename });
    handler.setup();
    handler.handle(record(20, "one"));
    handler.handle(record(40, "two"));
    assertEquals(Deno.readTextFileSync(filename), "");
    handler.flush();
    assertEquals(Deno.readTextFileSync(filename), "INFO one\nERROR two\n");
    handler.handle(record(20, "three"));
    handler.handle(record(50, "four"));
    assertStringIncludes(Deno.readTextFileSync(filename), "INFO three\nCRITICAL four\n");
  });

  fileTest("FileHandler writes when its buffer is full", (folder) => {
    const filename = `${folder}/log`;
    using handler = new log.FileHandler("INFO", { filename, bufferSize: 10 });
    handler.setup();
    handler.log("12345");
    handler.log("678");
    assertEquals(Deno.readTextFileSync(filename), "");
    handler.log("9");
    assertEquals(Deno.readTextFileSync(filename), "12345\n678\n");
    handler.log("longer than the buffer");
    assertEquals(Deno.readTextFileSync(filename), "12345\n678\n9\nlonger than the buffer\n");
  });

  fileTest("FileHandler appends to what is there", (folder) => {
    const filename = `${folder}/log`;
    for (const line of ["1", "2"]) {
      using handler = new log.FileHandler("INFO", { filename });
      handler.setup();
      handler.log(line);
    }
    assertEquals(Deno.readTextFileSync(filename), "1\n2\n");
  });

  fileTest("FileHandler writes what waits when the program ends", (folder) => {
    const filename = `${folder}/log`;
    const handler = new log.FileHandler("INFO", { filename });
    handler.setup();
    handler.log("last words");
    dispatchEvent(new Event("unload"));
    assertEquals(Deno.readTextFileSync(filename), "last words\n");
    handler.destroy();
  });
}
