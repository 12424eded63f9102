import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../servers/control/commands.ts";
import { Console } from "../../../servers/control/console.ts";
import { LogFile } from "../../../lib/log/log_file.ts";
import { FILES, testWith } from "../../support/permissions.ts";

/** A console whose commands for the thread are kept in `ran` and answered with their name. */
function setUp(
  { logPath = "/nowhere/echo.log", sure = true, names = Object.keys(COMMANDS) } = {},
) {
  const ran: [string, string][] = [];
  const asked: string[] = [];
  const printed: string[] = [];
  let wake = () => {};
  const console = new Console({
    logPath,
    names,
    call: (command: string, argument: string) => {
      ran.push([command, argument]);
      return Promise.resolve(`answer to ${command}`);
    },
    confirm: (question) => {
      asked.push(question);
      return Promise.resolve(sure);
    },
    print: (text) => {
      printed.push(text);
      wake();
    },
    stop: () => void ran.push(["stop", ""]),
  });
  const nextPrinted = () => new Promise<void>((resolve) => wake = resolve);
  const answer = (line: string) => console.run(line);
  return { ran, asked, printed, nextPrinted, console, answer };
}

Deno.test("Console.run() hands a command and its argument to the thread", async () => {
  const { ran, answer } = setUp();

  assertEquals(await answer("  say  hello  there \r"), "answer to say");
  assertEquals(await answer("status"), "answer to status");
  assertEquals(ran, [["say", "hello  there"], ["status", ""]]);
});

Deno.test("Console.run() answers an empty line with nothing", async () => {
  const { ran, answer } = setUp();

  assertEquals([await answer(""), await answer("  \t"), ran.length], ["", "", 0]);
});

Deno.test("Console.run() names the nearest of the commands", async () => {
  const { answer } = setUp();

  assertEquals(await answer("stat"), 'There is no command "stat". Did you mean status?');
  assertEquals(await answer("puase"), 'There is no command "puase". Did you mean pause?');
  assertEquals(await answer("xyzzyx"), 'There is no command "xyzzyx". Type help to see them all');
});

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
  Deno.test(`Console.run() knows no command ${name}`, async () => {
    const { ran, answer } = setUp();

    assertStringIncludes(await answer(name), `There is no command "${name}"`);
    assertEquals(ran, []);
  });
}

Deno.test("Console.run() escapes an unknown command", async () => {
  assertStringIncludes(await setUp().answer("\x1b[2J"), String.raw`"\x1b[2J"`);
});

Deno.test("help has a line for each command", async () => {
  const lines = (await setUp().answer("help")).split("\n");

  assertEquals(lines.length, Object.keys(COMMANDS).length);
  for (const [i, [name, { summary }]] of Object.entries(COMMANDS).entries()) {
    assert(lines[i]!.startsWith(name) && lines[i]!.endsWith(summary));
  }
});

Deno.test("Console.run() tells why a command failed", async () => {
  const { answer } = setUp({ logPath: "\0" });

  assertStringIncludes(await answer("clear-logs"), "Cannot run clear-logs: ");
});

Deno.test("Console.complete() gives the commands that begin so, and none after a blank", () => {
  const { console } = setUp();

  assertEquals(console.complete("cl"), ["clear-logs", "clear-users"]);
  assertEquals(console.complete("kick A"), []);
});

Deno.test("A command that the server does not have is neither listed nor asked about", async () => {
  const { ran, answer, console } = setUp({ names: ["help", "who"], sure: false });

  assertEquals((await answer("help")).split("\n").length, 2);
  assertEquals(await answer("clear-users"), "This server keeps no users");
  assertEquals(await answer("say hello"), "This server is not a chat");
  assertEquals([console.complete("cl"), ran], [[], []]);
});

Deno.test("reasons explains each reason of the log", async () => {
  const lines = (await setUp().answer("reasons")).split("\n");

  assert(lines.some((line) => /^truncated +the client left in the middle/.test(line)));
  assert(lines.some((line) => /^ended .* too slow$/.test(line)));
  assert(lines.some((line) => /^idle +the client was told: nothing was heard/.test(line)));
});

for (const argument of ["0", "-1", "9999999999", "-x"]) {
  Deno.test(`logs refuses ${argument}`, async () => {
    assertStringIncludes(await setUp().answer(`logs ${argument}`), "Usage: logs [N] [TEXT]");
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
    assertEquals(await answer("logs 2 line 1"), "line 18\nline 19");
    assertEquals(await answer("logs line 3"), "line 3\nline 30");
    assertEquals(await answer("logs \x1b"), "The log has no line with \\x1b");
  });
});

testWith(FILES, "logs -f prints the lines that follow, escaped, until the next line", async () => {
  await withLog(1, async (logPath) => {
    const { answer, printed, nextPrinted } = setUp({ logPath });
    using log = LogFile.open(logPath, { name: "echo" });

    assertEquals(await answer("logs -f wanted"), "Following the log: Enter ends it");
    while (printed.length === 0) {
      log.info("other");
      const next = Promise.withResolvers<void>();
      nextPrinted().then(next.resolve);
      log.info("wanted");
      await Deno.writeTextFile(logPath, "wanted \x1b\n", { append: true });
      log.flush();
      await next.promise;
    }
    await answer("");

    assertEquals(printed.every((line) => line.includes("wanted") && !line.includes("other")), true);
    assertStringIncludes(printed.join("\n"), "wanted \\x1b");
  });
});

testWith(FILES, "logs says that there is nothing to show", async () => {
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
  assertEquals([await unsure.answer("clear-users"), unsure.ran], ["Nothing changed", []]);

  const { ran, answer } = setUp();
  assertEquals(await answer("clear-users"), "answer to clear-users");
  assertEquals(ran, [["clear-users", ""]]);
});

testWith(FILES, "clear-logs empties the log once the operator is sure", async () => {
  await withLog(3, async (logPath) => {
    assertEquals(await setUp({ logPath, sure: false }).answer("clear-logs"), "Nothing changed");
    assertEquals((await Deno.stat(logPath)).size > 0, true);

    assertEquals(await setUp({ logPath }).answer("clear-logs"), "The log is empty now");
    assertEquals((await Deno.stat(logPath)).size, 0);
  });
});

testWith(FILES, "clear-logs says that it empties the audit log too", async () => {
  await withLog(3, async (logPath) => {
    const audit = `${logPath}.audit.log`;
    await Deno.writeTextFile(audit, "attempt\n");
    const { asked, answer } = setUp({ logPath });

    assertEquals(await answer("clear-logs"), "The log and the audit log are empty now");

    assertEquals(asked, ["Empty the log, and the audit log of logins?"]);
    assertEquals((await Deno.stat(audit)).size, 0);
    await Deno.remove(audit);
  });
});
