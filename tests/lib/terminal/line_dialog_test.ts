import { assert, assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { PassThrough } from "node:stream";
import { STANDARD_ERROR } from "../../../lib/terminal/async_output.ts";
import { LineDialog } from "../../../lib/terminal/line_dialog.ts";
import { Screen } from "../../../lib/terminal/screen.ts";
import { Terminal } from "../../../lib/terminal/terminal.ts";
import { FakeKeyboard, FakeScreen, open, turn } from "./fake_terminal.ts";

const ENTER = "\r";
const LEFT = "\x1b[D";
const UP = "\x1b[A";
const DOWN = "\x1b[B";

Deno.test("Terminal says why a paste longer than a line is not there", async () => {
  using t = open({ columns: 60 });

  await t.keyboard.type("x", `\x1b[200~${"y".repeat(20_000)}\x1b[201~`, ENTER);

  assertEquals(t.screen.text, ["A line has at most 16384 characters, not 20000", "> x", ">"]);
  assertEquals(t.lines, ["x"]);
});

for (const letter of ["漢", "👍🏽", "👩‍👩‍👧", "e\u0301", "🇫🇷"]) {
  Deno.test(`Terminal moves over and deletes ${letter} as one letter`, async () => {
    using t = open();

    await t.keyboard.type(`a${letter}b${letter}c`, LEFT, LEFT, LEFT, LEFT, "X");
    t.terminal.print("bob: hi");
    await turn();
    assertEquals(t.screen.text, ["bob: hi", `> aX${letter}b${letter}c`]);
    assertEquals(t.screen.cursor, [1, 4]);
    await t.keyboard.type("\x1b[3~", "\x05", "\x7f\x7f", ENTER);

    assertEquals(t.lines, ["aXb"]);
  });
}

Deno.test("Terminal calls back earlier lines and keeps the draft", async () => {
  using t = open();

  await t.keyboard.type("one", ENTER, "two", ENTER, "draft", UP, UP, UP);
  assertEquals(t.screen.text.at(-1), "> one");
  await t.keyboard.type(DOWN, DOWN);

  assertEquals(t.screen.text.at(-1), "> draft");
});

Deno.test("Terminal.complete completes on Tab, or shows the candidates", async () => {
  const commands = ["/help", "/history", "/who"];
  const complete = (before: string) => commands.filter((name) => name.startsWith(before));
  using t = open({ complete });

  await t.keyboard.type("/h", "\t");
  assertEquals(t.screen.text, ["/help  /history", "> /h"]);
  await t.keyboard.type("i", "\t", ENTER);

  assertEquals(t.lines, ["/history "]);
});

Deno.test("Terminal.question() keeps the line being typed for afterwards", async () => {
  using t = open();
  await t.keyboard.type("draft");

  const answer = t.terminal.question("Name: ");
  await t.keyboard.type("anna", ENTER);

  assertEquals(await answer, "anna");
  assertEquals(t.screen.text, ["Name: anna", "> draft"]);
  assertEquals(t.lines, []);
});

Deno.test("Terminal.secret() never shows what is typed", async () => {
  using t = open();

  const answer = t.terminal.secret("Password: ");
  await t.keyboard.type("hu", "sh");
  t.terminal.print("bob: hi");
  await t.keyboard.type(ENTER, UP);

  assertEquals(await answer, "hush");
  assertEquals(t.screen.text, ["bob: hi", "Password:", ">"]);
  assert(!t.screen.writes.join("").includes("hu"));
});

Deno.test("Terminal.question() takes answers that were typed ahead, in order", async () => {
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new FakeScreen() });
  keyboard.write("anna\nhush\nhello\n");

  const name = await terminal.question("Name: ");
  const password = await terminal.secret("Password: ");

  assertEquals([name, password], ["anna", "hush"]);
});

Deno.test("Terminal.interview() enters no line, and drops what no question took", async () => {
  using t = open();
  await t.keyboard.type("draft");

  const password = await t.terminal.interview(async () => {
    const answer = t.terminal.secret("Password: ");
    await t.keyboard.type("hush\rhush\r");
    await t.keyboard.type("hush\r");
    return await answer;
  });
  await t.keyboard.type("!", ENTER);

  assertEquals([password, t.lines], ["hush", ["draft!"]]);
  assert(!t.screen.writes.join("").includes("hu"));
});

Deno.test("Terminal.interview() lets a question take what was typed ahead of it", async () => {
  using t = open();

  const answers = t.terminal.interview(async () => {
    const name = await t.terminal.question("Name: ");
    await turn();
    return [name, await t.terminal.secret("Password: ")];
  });
  await t.keyboard.type("anna\rhush\rhello\r");

  assertEquals([await answers, t.lines], [["anna", "hush"], []]);
});

Deno.test("Terminal.interview() gives no answer to who waits for a line where none is edited", async () => {
  using _quiet = stub(STANDARD_ERROR, "write", () => true);
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new PassThrough() });
  const line = terminal[Symbol.asyncIterator]().next();

  const name = terminal.interview(() => terminal.question("Name: "));
  await keyboard.type("anna\n");
  assertEquals(await name, "anna");
  await keyboard.type("hello\n");

  assertEquals((await line).value, "hello");
});

Deno.test("Terminal.interview() reads on after it dropped a line that nobody asked for", async () => {
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new PassThrough() });
  const line = terminal[Symbol.asyncIterator]().next();

  await terminal.interview(() => keyboard.type("blind\n"));
  await keyboard.type("hello\n");

  assertEquals((await line).value, "hello");
});

Deno.test("Terminal.confirm() takes yes, no and Enter, also in Russian, and asks again for the rest", async () => {
  using t = open();
  await t.keyboard.type("\x1b[200~\x1b[201~"); // it marks pastes
  const yes = ["y", "YES", " д", "Да", "нуы"];
  const no = ["", "n", "no", "н", "нет", "т", "тщ"];

  for (const typed of [...yes, ...no]) {
    const answer = t.terminal.confirm("Sure?");
    await t.keyboard.type(`yellow\ry es\r${typed}\r`);
    assertEquals(await answer, yes.includes(typed), typed);
  }

  assertEquals(t.lines, []);
});

Deno.test("Terminal.confirm() gives what was typed on back to the line that it interrupted", async () => {
  using t = open({ columns: 60 });
  await t.keyboard.type("hello ev");

  const answer = t.terminal.confirm("Make a new account?");
  await t.keyboard.type("erybody", ENTER);
  assertEquals(t.screen.text.slice(1), [
    "Type y or n, then Enter",
    "Make a new account? [y/N]",
  ]);
  await t.keyboard.type("n", ENTER);

  assertEquals(await answer, false);
  assertEquals(t.screen.text.at(-1), "> hello everybody");
});

for (
  const [how, block] of [
    ["marked", "\x1b[200~two\nthree\n\x1b[201~"],
    ["not marked", "two\rthree\r"],
  ] as const
) {
  Deno.test(`Terminal offers a pasted block (${how}) as a whole, and keeps it if refused`, async () => {
    const offered: string[][] = [];
    const onPaste = (lines: string[]) => offered.push(lines) > 1;
    using t = open({ onPaste });

    await t.keyboard.type("one ", block);
    assertEquals(t.lines, []);
    assertEquals(t.screen.text, ["> one two three"]);
    await t.keyboard.type("\x15one ", block);

    assertEquals(offered, [["one two", "three"], ["one two", "three"]]);
    assertEquals(t.lines, ["one two", "three"]);
    assertEquals(t.screen.text, ["> one two", "> three", ">"]);
  });
}

Deno.test("Terminal takes unmarked lines for typed once it has marked a paste", async () => {
  using t = open();

  await t.keyboard.type("\x1b[200~pasted\x1b[201~\r", "one\rtwo\rth");

  assertEquals(t.lines, ["pasted", "one", "two"]);
  assertEquals(t.screen.text.at(-1), "> th");
});

Deno.test("Terminal asks before it enters a pasted block, and a paste is no answer", async () => {
  using t = open({ columns: 60 });

  await t.keyboard.type("\x1b[200~a\nb\x1b[201~", "\x1b[200~y\ny\n\x1b[201~");
  assertEquals(t.screen.text, ["Enter these 2 lines? [y/N]"]);
  await t.keyboard.type("n", ENTER);

  assertEquals(t.lines, []);
  assertEquals(t.screen.text.at(-1), "> a b");
});

Deno.test("Terminal puts a pasted block between what stands before and after the cursor", async () => {
  using t = open({ onPaste: () => true });

  await t.keyboard.type("<>", LEFT, "\x1b[200~a\nb\x1b[201~");
  await t.keyboard.type("<>", LEFT, "\x1b[200~a\nb\n\x1b[201~");

  assertEquals(t.lines, ["<a", "b>", "<a", "b", ">"]);
});

Deno.test("Terminal completes nothing in an answer", async () => {
  using t = open({ complete: () => ["/secret"] });

  const answer = t.terminal.question("Name: ");
  await t.keyboard.type("an\t", ENTER);

  assertEquals(await answer, "an");
  assertEquals(t.screen.text, ["Name: an", ">"]);
});

Deno.test("Terminal drops at Ctrl-C what was typed ahead", async () => {
  const keyboard = new FakeKeyboard();
  const screen = new FakeScreen();
  using terminal = new Terminal({ input: keyboard, output: screen, onInterrupt() {} });
  const first = terminal.question("Sure? ");
  await keyboard.type("no\ryes\r", "\x03");
  const second = terminal.question("Really? ");

  await keyboard.type("never", ENTER);

  assertEquals([await first, await second], ["no", "never"]);
});

Deno.test("Terminal answers an open question with null at Ctrl-C", async () => {
  using t = open({ onInterrupt() {} });

  const answer = t.terminal.secret("Password: ");
  await t.keyboard.type("hu", "\x03");

  assertEquals(await answer, null);
});

Deno.test("Terminal does not enter a pasted line that ends in a newline", async () => {
  using t = open();

  await t.keyboard.type("\x1b[200~rm -rf\n\x1b[201~");

  assertEquals(t.lines, []);
  assertEquals(t.screen.text, ["> rm -rf"]);
});

Deno.test("Terminal leaves out control characters and lone surrogates", async () => {
  using t = open();

  await t.keyboard.type("a\x00\x1f\x1b[99;99zb", "\x1b[200~\x1b[2J\x07\x9b\tc\x1b[201~");
  await t.keyboard.type(new Uint8Array([0xed, 0xa0, 0xbd, 0xff, 0x64]), ENTER);

  assertEquals(t.lines.length, 1);
  assert(t.lines[0]!.isWellFormed());
  assert(!/\p{Cc}/u.test(t.lines[0]!));
  assert(t.lines[0]!.startsWith("ab") && t.lines[0]!.endsWith("d"));
});

Deno.test("Terminal reads a letter whose bytes arrive apart", async () => {
  using t = open();

  for (const byte of new TextEncoder().encode("漢")) await t.keyboard.type(new Uint8Array([byte]));
  await t.keyboard.type(ENTER);

  assertEquals(t.lines, ["漢"]);
});

/** What is entered of chunks that arrive with pauses, in milliseconds, between them. */
function enteredWith(pauseMs: number, ...chunks: string[]): string[] {
  using time = new FakeTime();
  const lines: string[] = [];
  const dialog = new LineDialog(new Screen(new FakeScreen(), true), {
    ...{ prompt: "> ", keepEntered: true, edits: true },
    complete: () => [],
    onPaste: () => true,
    onLine: (line) => lines.push(line),
    onInterrupt() {},
    onEnd() {},
  });
  dialog.wantLines();
  for (const chunk of chunks) {
    dialog.receive(chunk);
    time.tick(pauseMs);
  }
  dialog.end();
  return lines;
}

for (
  const [start, rest] of [["\x1b]1", "1;rgb:0/0/0\x07"], ["\x1b[2", "4;80R"], [
    "\x1bP>",
    "|x\x1b\\",
  ]]
) {
  Deno.test(`Terminal waits 2 s for the rest of ${JSON.stringify(start)}, and no longer`, () => {
    assertEquals(enteredWith(900, `a${start}`, rest!, "b\r"), ["ab"]);
    assertEquals(enteredWith(2100, `a${start}`, "b", "c\r"), ["abc"]);
    // Typing does not make it longer.
    const typed = enteredWith(500, `a${start}`, ..."x".repeat(9), "\r")[0]!;
    assert(typed.length >= 6, typed);
  });
}

Deno.test("Terminal waits 200 ms for the rest of a key", () => {
  assertEquals(enteredWith(100, "ab\x1b", "[D", "c\r"), ["acb"]);
  assertEquals(enteredWith(300, "ab\x1b", "c\r"), ["abc"]);
});

Deno.test("Terminal shows a paste that stalls in its end mark, and then what is typed", async () => {
  using time = new FakeTime();
  using t = open();

  t.keyboard.write("\x1b[200~a\x1b[20");
  await time.tickAsync(3000);
  await time.tickAsync(2000);
  t.keyboard.write("b");
  await time.tickAsync(1);

  assertEquals(t.screen.text, ["> ab"]);
});
