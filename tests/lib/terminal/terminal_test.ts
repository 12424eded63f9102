import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { PassThrough, Writable } from "node:stream";
import { STANDARD_ERROR } from "../../../lib/terminal/async_output.ts";
import { Terminal } from "../../../lib/terminal/terminal.ts";
import { FakeKeyboard, FakeScreen, open, turn } from "./fake_terminal.ts";

const ENTER = "\r";
const LEFT = "\x1b[D";

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

Deno.test("Terminal.print() escapes and wraps on a screen also where its input is a pipe", async () => {
  const screen = new FakeScreen(20);
  using terminal = new Terminal({ input: new PassThrough(), output: screen });

  terminal.print(`eve: ${" ".repeat(15)}bob: \x1b[2J`);
  await terminal.written();

  assertEquals(screen.writes.join("").split("\n"), ["eve:", "  bob: \\x1b[2J", ""]);
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
  using _quiet = stub(STANDARD_ERROR, "write", () => true);
  const keyboard = new FakeKeyboard();
  using terminal = new Terminal({ input: keyboard, output: new PassThrough() });

  const sure = terminal.confirm("Sure?");
  await keyboard.type("what\ny\na\tb\x1b[A\r\nlast\n");
  const lines = terminal[Symbol.asyncIterator]();

  assertEquals(await sure, true);
  assertEquals((await lines.next()).value, "a    b[A");
  assertEquals((await lines.next()).value, "last");
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
