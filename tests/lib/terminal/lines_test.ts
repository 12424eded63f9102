import { assert, assertEquals } from "@std/assert";
import { readLines } from "../../../lib/terminal/lines.ts";

const encoder = new TextEncoder();

/** The lines of `text`, given as chunks of `chunkBytes` bytes. */
function linesOf(
  text: string,
  chunkBytes = text.length * 4 + 1,
  maxLength?: number,
): Promise<string[]> {
  async function* chunks() {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return Array.fromAsync(readLines(chunks(), maxLength === undefined ? {} : { maxLength }));
}

Deno.test("readLines() yields nothing for nothing", async () => {
  assertEquals(await linesOf(""), []);
});

Deno.test("readLines() yields the last line with and without its newline", async () => {
  assertEquals(await linesOf("a\nb\n"), ["a", "b"]);
  assertEquals(await linesOf("a\nb"), ["a", "b"]);
});

Deno.test("readLines() yields empty lines", async () => {
  assertEquals(await linesOf("\n\na\n\n"), ["", "", "a", ""]);
});

Deno.test("readLines() takes the line ends of Windows", async () => {
  assertEquals(await linesOf("a\r\n\r\nb\r"), ["a", "", "b"]);
});

Deno.test("readLines() keeps every other character", async () => {
  const text = "\uFEFFa\tb\0c\rd\u2028e\u2029f\x85g ";

  assertEquals(await linesOf(`${text}\n`), [text]);
});

Deno.test("readLines() does not mind where the chunks are cut", async () => {
  const text = "Привет, 👋\r\n\n日本語\nend";

  for (let chunkBytes = 1; chunkBytes < 12; chunkBytes++) {
    assertEquals(await linesOf(text, chunkBytes), ["Привет, 👋", "", "日本語", "end"]);
  }
});

Deno.test("readLines() shows bytes that are not UTF-8 as U+FFFD", async () => {
  async function* chunks() {
    yield new Uint8Array([0x61, 0xff, 0x0a, 0xe2, 0x82]);
  }

  assertEquals(await Array.fromAsync(readLines(chunks())), ["a\uFFFD", "\uFFFD"]);
});

Deno.test("readLines() keeps a line of maxLength whole", async () => {
  assertEquals(await linesOf("12345\r\nb", 1, 5), ["12345", "b"]);
});

Deno.test("readLines() cuts an endless line off and goes on with the next", async () => {
  const [long, next] = await linesOf(`${"x".repeat(1000)}\nnext`, 10, 5);

  assert(long!.length > 5 && long!.length < 5 + 2 + 10);
  assertEquals(next, "next");
});
