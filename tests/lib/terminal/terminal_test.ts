import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import process from "node:process";
import { PassThrough, Writable } from "node:stream";
import { Terminal, type TerminalOptions } from "../../../lib/terminal/terminal.ts";
import { FakeKeyboard, FakeScreen, turn } from "./fake_terminal.ts";

const ENTER = "\r";
const LEFT = "\x1b[D";
const UP = "\x1b[A";
const DOWN = "\x1b[B";

/** A terminal whose lines are collected until it ends. */
function open(options: TerminalOptions & { columns?: number; rows?: number } = {}) {
  const keyboard = new FakeKeyboard();
  const screen = new FakeScreen(options.columns, options.rows);
  const terminal = new Terminal({ input: keyboard, output: screen, ...options });
  const lines: string[] = [];
  const ended = (async () => {
    for await (const line of terminal) lines.push(line);
  })();
  return { keyboard, screen, terminal, lines, ended, [Symbol.dispose]: () => terminal.close() };
}

function pipe(input: string) {
  const stream = new PassThrough();
  stream.end(input);
  let output = "";
  const out = new PassThrough().on("data", (chunk) => output += chunk);
  const terminal = new Terminal({ input: stream, output: out });
  return { terminal, output: () => output, [Symbol.dispose]: () => terminal.close() };
}

Deno.test("Terminal gives each entered line and keeps it on the screen", async () => {
  using t = open();

  await t.keyboard.type("hello", ENTER, "wor");

  assertEquals(t.lines, ["hello"]);
  assertEquals(t.screen.text, ["> hello", "> wor"]);
  assertEquals(t.screen.cursor, [1, 5]);
});

Deno.test("Terminal.keepEntered false erases the entered line", async () => {
  using t = open({ keepEntered: false });

  await t.keyboard.type("hello", ENTER);

  assertEquals(t.lines, ["hello"]);
  assertEquals(t.screen.text, [">"]);
});

Deno.test("Terminal.print() writes above the line being typed and keeps its cursor", async () => {
  using t = open();
  await t.keyboard.type("half a line", LEFT, LEFT);

  t.terminal.print("bob: hi");
  await turn();

  assertEquals(t.screen.text, ["bob: hi", "> half a line"]);
  assertEquals(t.screen.cursor, [1, 11]);
});

Deno.test("Terminal.print() keeps a line that wraps over several rows", async () => {
  using t = open({ columns: 10 });
  await t.keyboard.type("abcdefghijklmnopqrstuvwxyz", LEFT.repeat(12));

  t.terminal.print("bob: a long line");
  t.terminal.print("eve: hi");
  await turn();

  const typed = ["> abcdefgh", "ijklmnopqr", "stuvwxyz"];
  assertEquals(t.screen.text, ["bob: a", "  long", "  line", "eve: hi", ...typed]);
  assertEquals(t.screen.cursor, [5, 6]);
});

Deno.test("Terminal.print() keeps a line that just fills its row", async () => {
  using t = open({ columns: 10 });
  await t.keyboard.type("abcdefgh");

  t.terminal.print("bob: hi");
  await turn();

  assertEquals(t.screen.text, ["bob: hi", "> abcdefgh"]);
  assertEquals(t.screen.cursor, [2, 0]);
});

Deno.test("Terminal.print() writes the lines of one turn at once", async () => {
  using t = open({ rows: 100 });
  await t.keyboard.type("x");
  const before = t.screen.writes.length;

  for (let i = 0; i < 50; i++) {
    t.terminal.print(`line ${i}`);
    await Promise.resolve();
  }
  await turn();

  assertEquals(t.screen.writes.length - before, 1);
  assertEquals(t.screen.text.length, 51);
});

Deno.test("Terminal.print() at the bottom of the screen scrolls and loses nothing", async () => {
  using t = open({ columns: 10, rows: 4 });
  await t.keyboard.type("abcdefghijkl", LEFT);

  for (let i = 0; i < 9; i++) {
    t.terminal.print(`line ${i}`);
    await turn();
  }

  const printed = Array.from({ length: 9 }, (_, i) => `line ${i}`);
  assertEquals(t.screen.text, [...printed, "> abcdefgh", "ijkl"]);
  assertEquals(t.screen.cursor, [10, 3]);
});

Deno.test("Terminal shows a line taller than the screen around its cursor", async () => {
  using t = open({ columns: 10, rows: 3 });

  await t.keyboard.type("0123456789".repeat(5));
  t.terminal.print("bob");
  await turn();
  await t.keyboard.type("\x15");

  assertEquals(t.screen.text.at(-1), ">");
  assertEquals(t.screen.text.filter((row) => row === "bob").length, 1);
});

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

Deno.test("Terminal wraps a wide letter that does not fit in the row", async () => {
  using t = open({ columns: 5 });

  await t.keyboard.type("漢字漢字");
  t.terminal.print("bob");
  await turn();

  assertEquals(t.screen.text, ["bob", "> 漢", "字漢", "字"]);
  assertEquals(t.screen.cursor, [3, 2]);
});

Deno.test("Terminal draws the line again when the window is resized", async () => {
  using t = open({ columns: 20 });
  await t.keyboard.type("abcdefghijklmnopqrstuvwxyz");

  t.screen.resize(10);
  await turn();
  t.terminal.print("bob");
  await turn();

  assertEquals(t.screen.text, ["bob", "> abcdefgh", "ijklmnopqr", "stuvwxyz"]);
});

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
  using _quiet = stub(process.stderr, "write", () => true);
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

Deno.test("Terminal tells once that its output is gone, also to who prints then", async () => {
  let told = 0;
  using t = open({
    onHangUp() {
      told++;
      t.terminal.print("gone");
    },
  });
  const { length } = t.screen.writes;

  t.screen.emit("error", new Error("write EPIPE"));
  await turn();

  assertEquals([told, t.screen.writes.length], [1, length]);
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

Deno.test("Terminal ends its lines at Ctrl-D in an empty line, and then reads Ctrl-C alone", async () => {
  let interrupts = 0;
  using t = open({ onInterrupt: () => interrupts++ });
  await t.keyboard.type("x", "\x04", "\x7f");
  assert(t.keyboard.isRaw && t.screen.marksPastes);

  await t.keyboard.type("\x04");
  await t.ended;
  await t.keyboard.type("x\r", "\x03");

  assertEquals([t.lines, interrupts], [[], 1]);
  assertEquals(await t.terminal.question("Name: "), null);
  assert(!t.screen.marksPastes);
  assertEquals(t.screen.cursor[1], 0);
  t.terminal.close();
  assert(!t.keyboard.isRaw);
});

Deno.test("Terminal ends at Ctrl-C unless onInterrupt decides otherwise", async () => {
  let interrupts = 0;
  using ending = open();
  using deciding = open({ onInterrupt: () => interrupts++ });

  await ending.keyboard.type("draft", "\x03");
  await deciding.keyboard.type("draft", "\x03");
  await ending.ended;

  assert(!ending.keyboard.isRaw && deciding.keyboard.isRaw);
  assertEquals(interrupts, 1);
  assertEquals(ending.screen.text, ["> draft"]);
  assertEquals(ending.screen.cursor, [1, 0]);
});

Deno.test("Terminal tells a terminal that is gone from Ctrl-D", async () => {
  let hangUps = 0;
  const onHangUp = () => hangUps++;
  using left = open({ onHangUp });
  using gone = open({ onHangUp });
  using ending = open();

  await left.keyboard.type("\x04");
  for (const { keyboard } of [gone, ending]) keyboard.end();
  await Promise.all([left.ended, ending.ended]);
  await turn();

  assertEquals(hangUps, 1);
  assert(gone.keyboard.isRaw && !ending.keyboard.isRaw);
});

Deno.test("Terminal is gone when its output throws", async () => {
  let hangUps = 0;
  using t = open({ onHangUp: () => hangUps++ });
  await turn();

  t.screen.write = () => {
    throw new Error("Input/output error");
  };
  t.terminal.print("lost");
  await turn();

  assertEquals(hangUps, 1);
});

Deno.test("Terminal answers an open question with null at Ctrl-C", async () => {
  using t = open({ onInterrupt() {} });

  const answer = t.terminal.secret("Password: ");
  await t.keyboard.type("hu", "\x03");

  assertEquals(await answer, null);
});

Deno.test("Terminal.close() is idempotent, ends everything, and printing goes on", async () => {
  using t = open();
  const answer = t.terminal.question("Name: ");
  await t.keyboard.type("an");

  t.terminal.close();
  t.terminal.close();
  t.terminal.setPrompt("later> ");
  t.terminal.print("bye");
  await t.ended;

  assertEquals(await answer, null);
  assertEquals(await t.terminal.question("Again? "), null);
  assertEquals(t.screen.text, ["Name: an", "bye"]);
});

Deno.test("Terminal.close() drops lines not asked for yet, and ends every question", async () => {
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new FakeScreen() });
  const lines = terminal[Symbol.asyncIterator]();
  const first = lines.next();
  await keyboard.type("one", ENTER);
  await keyboard.type("two", ENTER);
  const answers = [terminal.question("Name: "), terminal.question("Age: ")];

  terminal.close();

  assertEquals([await first, await lines.next()].map(({ value }) => value), ["one", undefined]);
  assertEquals(await Promise.all(answers), [null, null]);
});

Deno.test("Terminal neither reads nor writes before it is asked to", async () => {
  const keyboard = new FakeKeyboard();
  const screen = new FakeScreen();

  using terminal = new Terminal({ input: keyboard, output: screen });
  terminal.setPrompt("x> ");
  await turn();

  assert(!keyboard.isRaw);
  assertEquals(screen.writes, []);
});

Deno.test("Terminal in a pipe gives all lines, the last without its newline too", async () => {
  using t = pipe("one\r\ntwo\n\nfour");

  const lines = await Array.fromAsync(t.terminal);

  assertEquals(lines, ["one", "two", "", "four"]);
  assertEquals(t.output(), "");
});

Deno.test("Terminal in a pipe cuts an endless line off and goes on with the next", async () => {
  const input = new PassThrough();
  using terminal = new Terminal({ input, output: new PassThrough() });
  const lines = Array.fromAsync(terminal);

  for (let i = 0; i < 128; i++) input.write("x".repeat(16 * 1024));
  input.end("\nnext");

  const [long, next] = await lines;
  assertLessOrEqual(long!.length, 1024 * 1024 + 16 * 1024);
  assertEquals(next, "next");
});

Deno.test("Terminal in a pipe prints lines as they are and shows no prompt", async () => {
  using t = pipe("anna\nhush\none\n");

  t.terminal.print("hello");
  const name = await t.terminal.question("Name: ");
  const password = await t.terminal.secret("Password: ");
  const sure = await t.terminal.confirm("Sure?");
  const lines = await Array.fromAsync(t.terminal);
  t.terminal.close();

  assertEquals([name, password, sure, lines], ["anna", "hush", true, ["one"]]);
  assertEquals(t.output(), "hello\n");
});

Deno.test("Terminal in a pipe reads no further than it is asked", async () => {
  const input = new PassThrough({ highWaterMark: 16 });
  using terminal = new Terminal({ input, output: new PassThrough() });

  const first = terminal.question("");
  input.write("one\n");
  await first;
  input.write("two\nthree\n");
  await turn();

  assert(input.readableLength > 0);
});

Deno.test("Terminal escapes what it shows, except for colours", async () => {
  const complete = () => ["\x1b[2Jann", "anna", "anton"];
  using t = open({ columns: 60, complete });

  t.terminal.setPrompt("\x1b[36manna\x1b[0m\x1b[2J\u202e> ");
  t.terminal.print("\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J");
  await t.keyboard.type("a\t\t");
  const answer = t.terminal.question("Name [\x1b[6n]: ");
  await t.keyboard.type(ENTER);

  await answer;
  assertEquals(t.screen.text, [
    "red\\x1b]0;title\\x07\\x9b2J",
    "anna  anton",
    "Name [\\x1b[6n]:",
    "anna\\x1b[2J\\u{202e}> an",
  ]);
});

Deno.test("Terminal.written() rejects with the error of an output that is lost", async () => {
  const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error("full")) });
  using terminal = new Terminal({ input: new PassThrough(), output });

  terminal.print("lost");
  terminal.close();

  await assertRejects(() => terminal.written(), Error, "full");
});

Deno.test("Terminal sets raw mode and draws its line again when it goes on after a stop", async () => {
  const added = stub(Deno, "addSignalListener");
  using t = open();
  added.restore();
  using _removed = stub(Deno, "removeSignalListener");
  await t.keyboard.type("draft");
  t.keyboard.isRaw = false; // as a shell leaves it

  t.screen.write("\r\nfg\r\n");
  added.calls.find(({ args: [signal] }) => signal === "SIGCONT")!.args[1]();
  await turn();

  assert(t.keyboard.isRaw);
  assertEquals(t.screen.writes.at(-1)!.includes("\x1b[?2004h"), true);
  assertEquals(t.screen.text, ["> draft", "fg", "> draft"]);
  t.terminal.close();
});

Deno.test("Terminal without a screen reads lines as the terminal edits them", async () => {
  using _quiet = stub(process.stderr, "write", () => true);
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new PassThrough() });

  const sure = terminal.confirm("Sure?");
  await keyboard.type("what\ny\na\tb\x1b[A\r\nlast\n");
  const lines = terminal[Symbol.asyncIterator]();

  assertEquals(await sure, true);
  assertEquals((await lines.next()).value, "a    b[A");
  assertEquals((await lines.next()).value, "last");
});
