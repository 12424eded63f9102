import { assertEquals } from "@std/assert";
import { endOfUnits, unitsIn } from "../../../lib/frame/utf8.ts";
import { utf8 } from "../../support/bytes.ts";

const TEXTS = ["", "a", "\0\x7f", "\x80߿", "ࠀ\uffff\ufffd", "𐀀\u{10ffff}", "a₽é𝄞z", "\ufeffb"];

Deno.test("unitsIn() counts what a text is long, character of each length by character", () => {
  for (const text of TEXTS) {
    const bytes = utf8(`é${text}𝄞`);

    assertEquals(unitsIn(bytes, 2, bytes.length - 4), text.length);
  }
});

Deno.test("endOfUnits() finds where a text ends", () => {
  for (const text of TEXTS) {
    const bytes = utf8(`é${text}𝄞`);

    assertEquals(endOfUnits(bytes, 2, text.length), bytes.length - 4);
  }
});

Deno.test("unitsIn() and endOfUnits() agree with the length of every character's text", () => {
  for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 61) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const text = String.fromCodePoint(point);
    const bytes = utf8(text);

    assertEquals(unitsIn(bytes, 0, bytes.length), text.length);
    assertEquals(endOfUnits(bytes, 0, text.length), bytes.length);
  }
});
