import { assertEquals } from "@std/assert";
import { KeyDecoder } from "../../../lib/terminal/keys.ts";

function decode(...chunks: string[]): string[] {
  const decoder = new KeyDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk)).map(({ name, text }) => text || name);
}

Deno.test("KeyDecoder.push() tells text, control keys and escape sequences apart", () => {
  assertEquals(decode("ab\x1b[Dc\x1bOA\x7f\r"), ["ab", "left", "c", "older", "backspace", "enter"]);
});

Deno.test("KeyDecoder.push() does not mind where the chunks were cut", () => {
  const input = "a\x1b[1;5D\x1b[200~p\nq\x1b[201~b\x1b[3~";
  const whole = decode(input);
  assertEquals(whole, ["a", "wordLeft", "p\nq", "b", "delete"]);
  assertEquals(decode(...input), whole);
});

Deno.test("KeyDecoder.push() lets nothing unknown through but a letter after Escape", () => {
  assertEquals(decode("\x00\x1b[99;9z\x1bOz\x1c", "\x1b", "h", "\x1b", "\r"), ["h", "enter"]);
});

Deno.test("KeyDecoder.push() takes Enter and more text in one chunk for a paste", () => {
  assertEquals(decode("a\rb"), ["a\rb"]);
  assertEquals(decode("a\r\r\n"), ["a", "enter", "enter"]);
  assertEquals(decode("\x1b[200~p\x1b[201~", "a\rb"), ["p", "a", "enter", "b"]);
});

Deno.test("KeyDecoder.push() hears Ctrl-C during a paste that never ends", () => {
  assertEquals(decode("\x1b[200~abc", "def", "\x03", "g"), ["interrupt", "g"]);
});

Deno.test("KeyDecoder.push() drops mouse clicks and keys of the Linux console, cut anywhere", () => {
  for (const input of ["a\x1b[M !!b", "a\x1b[[Ab", "a\x1b[<0;10;10Mb", "a\x1b[24;80Rb"]) {
    assertEquals(decode(...input), ["a", "b"]);
    assertEquals(decode(input), ["a", "b"]);
  }
});

for (
  const [start, end] of [["\x1b]", "\x07"], ["\x1bP", "\x1b\\"], ["\x1b_", "\x9c"], [
    "\x9d",
    "\x07",
  ]]
) {
  Deno.test(`KeyDecoder.push() drops a string from ${JSON.stringify(start)}, cut anywhere`, () => {
    const input = `a${start}11;rgb:0000/ffff\u{1f600}${end}b`;

    assertEquals(decode(...input).join(""), "ab");
    for (let cut = 0; cut < input.length; cut++) {
      assertEquals(decode(input.slice(0, cut), input.slice(cut)).join(""), "ab");
    }
  });
}

Deno.test("KeyDecoder ends a string that never ends at a control key, or when it expires", () => {
  const decoder = new KeyDecoder();

  for (let i = 0; i < 1000; i++) assertEquals(decoder.push("\x1b]" + "x".repeat(1000)), []);
  assertEquals(decoder.push("\r").map(({ name }) => name), ["enter"]);
  decoder.push("\x1bPnever");
  assertEquals([decoder.waitMs, decoder.expire()], [2000, []]);

  assertEquals(decoder.push("typed").map(({ text }) => text), ["typed"]);
  assertEquals(decode("\x1b^never", "\x03"), ["interrupt"]);
});

Deno.test("KeyDecoder gives a paste whose end does not come, and then a key that is pressed", () => {
  const decoder = new KeyDecoder();
  const paste = (text: string) => ({ name: "paste" as const, text });

  assertEquals(decoder.push("\x1b[200~one\rtw"), []);
  assertEquals([decoder.waitMs, decoder.expire()], [3000, [paste("one\rtw")]]);
  // It stalled: the rest is no typed line.
  assertEquals(decoder.push("o\rthree\x1b[20"), [paste("o\rthree")]);
  assertEquals(decoder.push("1~typed"), [{ name: "text", text: "typed" }]);

  decoder.push("\x1b[200~lost");
  decoder.expire();
  assertEquals(decoder.push("x"), [paste("x")]);
  assertEquals(decoder.push("\x1b[D"), [{ name: "left", text: "" }]);
  assertEquals(decoder.push("y"), [{ name: "text", text: "y" }]);
});

Deno.test("KeyDecoder keeps half an end mark of a paste that stalls, or is too long, for its other half", () => {
  const end = "\x1b[201~";
  for (let cut = 1; cut < end.length; cut++) {
    const stalled = new KeyDecoder();
    stalled.push("\x1b[200~\r" + end.slice(0, cut));
    assertEquals(stalled.expire(), [{ name: "paste", text: "\r" }]);
    assertEquals(stalled.push(end.slice(cut) + "a\r").map(({ name }) => name), ["text", "enter"]);

    const long = "x".repeat(1_048_576);
    assertEquals(decode("\x1b[200~" + long + end.slice(0, cut), end.slice(cut), "\r"), [
      long,
      "enter",
    ]);
  }
});

Deno.test("KeyDecoder begins the next paste where the end of one before was lost", () => {
  for (const next of ["\x1b[200~b\r\x1b[201~", "o\r\x1b[200~b\r\x1b[201~"]) {
    const keys = [next, ...next].flatMap((_, cut) => {
      const decoder = new KeyDecoder();
      decoder.push("\x1b[200~a");
      decoder.expire();
      return [next.slice(0, cut), next.slice(cut)].flatMap((chunk) => decoder.push(chunk));
    });
    assertEquals(keys.filter(({ name }) => name !== "paste"), []);
  }
});

Deno.test("KeyDecoder.expire() leaves no key to an Escape pressed before", () => {
  const decoder = new KeyDecoder();

  for (
    const [held, waitMs, kept] of [
      ["\x1b", 200, []],
      ["\x1bO", 200, ["O"]],
      ["\x1b]", 200, []],
      ["\x1b[1;", 2000, []],
      ["\x1b[?", 2000, []],
      ["\x1bP>", 2000, []],
    ] as const
  ) {
    decoder.push(held);
    assertEquals(decoder.waitMs, waitMs);
    assertEquals(decoder.expire().map(({ text }) => text), [...kept]);
    assertEquals(decoder.waitMs, 0);
    assertEquals(decoder.push("b").map(({ text }) => text), ["b"]);
  }
});
