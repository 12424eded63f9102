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
});

Deno.test("KeyDecoder.push() hears Ctrl-C during a paste that never ends", () => {
  assertEquals(decode("\x1b[200~abc", "def", "\x03", "g"), ["interrupt", "g"]);
});
