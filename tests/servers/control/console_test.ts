import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS, completeCommand, runLine } from "../../../servers/control/console.ts";
import { FILES, testWith } from "../../support/permissions.ts";

/** A console whose commands for the thread are kept in `ran` and answered with their name. */
function setUp({ logPath = "/nowhere/echo.log", sure = true } = {}) {
  const ran: [string, string][] = [];
  const options = {
    logPath,
    run: (command: string, argument: string) => {
      ran.push([command, argument]);
      return Promise.resolve(`answer to ${command}`);
    },
    confirm: () => Promise.resolve(sure),
  };
  return { ran, answer: (line: string) => runLine(line, options) };
}

Deno.test("runLine() hands a command and its argument to the thread", async () => {
  const { ran, answer } = setUp();

  assertEquals(await answer("  say  hello  there \r"), "answer to say");
  assertEquals(await answer("status"), "answer to status");
  assertEquals(ran, [["say", "hello  there"], ["status", ""]]);
});

Deno.test("runLine() answers an empty line with nothing", async () => {
  const { ran, answer } = setUp();

  assertEquals([await answer(""), await answer("  \t"), ran.length], ["", "", 0]);
});

Deno.test("runLine() names the nearest of the commands", async () => {
  const { answer } = setUp();

  assertEquals(await answer("stat"), 'There is no command "stat". Did you mean status?');
  assertEquals(await answer("puase"), 'There is no command "puase". Did you mean pause?');
  assertEquals(await answer("xyzzyx"), 'There is no command "xyzzyx". Type help to see them all');
});

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
  Deno.test(`runLine() knows no command ${name}`, async () => {
    const { ran, answer } = setUp();

    assertStringIncludes(await answer(name), `There is no command "${name}"`);
    assertEquals(ran, []);
  });
}

Deno.test("runLine() escapes an unknown command", async () => {
  assertStringIncludes(await setUp().answer("\x1b[2J"), String.raw`"\u001b[2J"`);
});

Deno.test("help has a line for each command", async () => {
  const lines = (await setUp().answer("help")).split("\n");

  assertEquals(lines.length, Object.keys(COMMANDS).length);
  for (const [i, [name, { summary }]] of Object.entries(COMMANDS).entries()) {
    assert(lines[i]!.startsWith(name) && lines[i]!.endsWith(summary));
  }
});

Deno.test("runLine() tells why a command failed", async () => {
  const options = {
    logPath: "",
    run: () => Promise.reject(new Error("the moon is full")),
    confirm: () => Promise.resolve(true),
  };

  assertEquals(await runLine("status", options), "Cannot run status: the moon is full");
});

Deno.test("completeCommand() gives the commands that begin so, and none after a blank", () => {
  assertEquals(completeCommand("cl"), ["clear-logs", "clear-users"]);
  assertEquals(completeCommand("kick A"), []);
});

for (const argument of ["0", "-1", "1e3", "1.5", "abc", "0x10", "5 5", "9999999999"]) {
  Deno.test(`logs refuses ${argument}`, async () => {
    assertEquals(await setUp().answer(`logs ${argument}`), "Usage: logs [N], with N from 1 up");
  });
}

async function withLog(lines: number, body: (logPath: string) => Promise<void>): Promise<void> {
  const logPath = await Deno.makeTempFile();
  await Deno.writeTextFile(
    logPath,
    Array.from({ length: lines }, (_, i) => `line ${i + 1}\n`).join(""),
  );
  try {
    await body(logPath);
  } finally {
    await Deno.remove(logPath);
  }
}

testWith(FILES, "logs shows the last 20 lines, or as many as are asked for", async () => {
  await withLog(30, async (logPath) => {
    const { answer } = setUp({ logPath });

    const shown = await answer("logs");

    assertEquals([shown.split("\n").length, shown.split("\n")[0]], [20, "line 11"]);
    assertEquals(await answer("logs 2"), "line 29\nline 30");
  });
});

testWith(FILES, "logs tells that there is nothing to show", async () => {
  assertEquals(await setUp().answer("logs"), "The log is empty");
});

for (const name of Object.keys(COMMANDS).filter((name) => !COMMANDS[name]!.usage)) {
  Deno.test(`${name} refuses an argument before it asks or does anything`, async () => {
    const { ran, answer } = setUp();

    assertStringIncludes(await answer(`${name} Anna`), `${name} takes no argument: `);
    assertEquals(ran, []);
  });
}

Deno.test("clear-users with a name says that it forgets all, and what ends one", async () => {
  assertEquals(
    await setUp().answer("clear-users Anna"),
    "clear-users takes no argument: it forgets all users. " +
      "To end the connections of one, type kick NAME",
  );
});

Deno.test("clear-users asks the thread once the operator is sure", async () => {
  const unsure = setUp({ sure: false });
  assertEquals([await unsure.answer("clear-users"), unsure.ran], ["The users are kept", []]);

  const { ran, answer } = setUp();
  assertEquals(await answer("clear-users"), "answer to clear-users");
  assertEquals(ran, [["clear-users", ""]]);
});

testWith(FILES, "clear-logs empties the log once the operator is sure", async () => {
  await withLog(3, async (logPath) => {
    assertEquals(await setUp({ logPath, sure: false }).answer("clear-logs"), "The log is kept");
    assertEquals((await Deno.stat(logPath)).size > 0, true);

    assertEquals(await setUp({ logPath }).answer("clear-logs"), "The log is empty now");
    assertEquals((await Deno.stat(logPath)).size, 0);
  });
});
