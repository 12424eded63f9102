import { assertEquals } from "@std/assert";
import { endOfUnits, unitsIn } from "../../../lib/frame/utf8.ts";
import { utf8 } from "../../support/bytes.ts";

Deno.test("unitsIn() and endOfUnits() agree with the length of every character's text", () => {
  for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 61) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const text = String.fromCodePoint(point);
    const bytes = utf8(text);

    assertEquals(unitsIn(bytes, 0, bytes.length), text.length);
    assertEquals(endOfUnits(bytes, 0, text.length), bytes.length);
  }
});
