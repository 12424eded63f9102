import { assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { graphemeWidth, layOutLine } from "../../../lib/terminal/line_layout.ts";

Deno.test("graphemeWidth() agrees with the standard library on letters of many scripts", () => {
  const letters = "aéяשعहไ漢字かカ한ｶＡ。※—\u0301\u200b😀🚀⌚㍿\u{20000}";
  for (const letter of letters) {
    assertEquals(graphemeWidth(letter), unicodeWidth(letter), letter.codePointAt(0)!.toString(16));
  }
});

Deno.test("graphemeWidth() counts a joined emoji as one picture", () => {
  for (const emoji of ["👩‍👩‍👧", "👍🏽", "🇫🇷", "❤️", "1️⃣"]) assertEquals(graphemeWidth(emoji), 2, emoji);
});

Deno.test("layOutLine() gives colour codes no cell", () => {
  const { rows, beforeCursor } = layOutLine("\x1b[36mab>\x1b[0m ", "cdef", 1, 6);

  assertEquals(rows, ["\x1b[36mab>\x1b[0m cd", "ef"]);
  assertEquals(beforeCursor, "\x1b[36mab>\x1b[0m c");
});

Deno.test("layOutLine() puts the cursor after a full row into the next", () => {
  assertEquals(layOutLine("", "e\u0301".repeat(3), 6, 4).rows.length, 1);
  assertEquals(layOutLine("", "abcd", 4, 4), {
    rows: ["abcd", ""],
    cursorRow: 1,
    beforeCursor: "",
  });
  assertEquals(layOutLine("", "abc漢", 3, 4), {
    rows: ["abc", "漢"],
    cursorRow: 1,
    beforeCursor: "",
  });
});
