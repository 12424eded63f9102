import { assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { graphemeWidth, layOutLine, wrapText } from "../../../lib/terminal/text_layout.ts";

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

Deno.test("wrapText() breaks at spaces, and a word longer than a row anywhere", () => {
  assertEquals(wrapText("one two three", { columns: 10 }), ["one two ", "  three"]);
  assertEquals(wrapText("a 0123456789ab", { columns: 8 }), ["a 012345", "  6789ab"]);
  assertEquals(wrapText("a\n\nb", { columns: 8 }), ["a", "", "b"]);
});

Deno.test("wrapText() lets no padding put a text at the beginning of a row", () => {
  for (const pad of [..." \u00a0\u3000\u2800☀漢\ue000-", "👩‍👩‍👧", "e\u0301"]) {
    for (let count = 0; count < 45; count++) {
      const [first, ...rows] = wrapText(`eve: ${pad.repeat(count)}12:00 bob: hi`, { columns: 20 });

      assertEquals(first!.slice(0, 4), "eve:");
      for (const row of rows) assertEquals(row.slice(0, 2), "  ", pad);
    }
  }
});

Deno.test("wrapText() gives visible format characters a cell", () => {
  for (const pad of "\u0600\u06dd\u{110bd}\u{13430}") {
    const rows = wrapText(`eve: ${pad.repeat(40)}12:00 bob: hi`, { columns: 20 });

    assertEquals(rows.filter((row) => [...row].length > 20), []);
  }
});

Deno.test("wrapText() escapes all but colours, which fill no cell", () => {
  const rows = wrapText("\x1b[36mab cd\x1b[0m \x1b[2Jx", { columns: 9 });

  assertEquals(rows, ["\x1b[36mab cd\x1b[0m \\x1", "  b[2Jx"]);
});

Deno.test("wrapText() continues below the second column where all lines have the same", () => {
  const help = "  /logout   leave, and forget this login\n  /quit     leave";
  const other = "eve: a    b c d e f g h i j\nbob: hi";

  assertEquals(wrapText(help, { columns: 30 }), [
    "  /logout   leave, and forget",
    "            this login",
    "  /quit     leave",
  ]);
  assertEquals(wrapText(other, { columns: 20 })[1]!.search(/\S/), 2);
});

Deno.test("wrapText() continues a row of a table below its second column", () => {
  const options = { columns: 32, table: true };

  assertEquals(wrapText("  --port PORT  the port of the server", options), [
    "  --port PORT  the port of the ",
    "               server",
  ]);
  assertEquals(wrapText("  a line of words and no second column", options)[1], "  column");
});
