import { assertEquals, assertStrictEquals } from "@std/assert";
import { escapeControl } from "../../../lib/base/escape.ts";

const SHOWN: [what: string, text: string, shown: string][] = [
  ["a newline", "a\nb", "a\\nb"],
  ["a carriage return and newline", "a\r\nb", "a\\r\\nb"],
  ["a tab", "a\tb", "a\\tb"],
  ["NUL", "\0", "\\x00"],
  ["the bell", "\x07", "\\x07"],
  ["a backspace", "ab\b", "ab\\x08"],
  ["a terminal sequence", "\x1b[2J", "\\x1b[2J"],
  ["DEL", "\x7f", "\\x7f"],
  ["the one-byte CSI of C1", "\x9b2J", "\\x9b2J"],
  ["next line (C1)", "\x85", "\\x85"],
  ["line separator", "a\u2028b", "a\\u{2028}b"],
  ["paragraph separator", "a\u2029b", "a\\u{2029}b"],
  ["right-to-left override", "\u202etxt.exe", "\\u{202e}txt.exe"],
  ["right-to-left mark", "\u200f", "\\u{200f}"],
  ["Arabic letter mark", "\u061c", "\\u{61c}"],
  ["zero-width space", "An\u200bna", "An\\u{200b}na"],
  ["soft hyphen", "An\u00adna", "An\\xadna"],
  ["word joiner", "An\u2060na", "An\\u{2060}na"],
  ["byte order mark", "\ufeffhi", "\\u{feff}hi"],
  ["Hangul filler", "\u3164", "\\u{3164}"],
  ["interlinear annotation", "\ufff9a\ufffb", "\\u{fff9}a\\u{fffb}"],
  ["tags that pretend to be a flag", "🏴\u{e0068}\u{e0069}", "🏴\\u{e0068}\\u{e0069}"],
  ["text hidden in tags", "ok\u{e0068}\u{e0069}", "ok\\u{e0068}\\u{e0069}"],
  ["a lone high surrogate", "a\ud800b", "a\\u{d800}b"],
  ["a lone low surrogate", "\udc00", "\\u{dc00}"],
  ["surrogates in the wrong order", "\udc00\ud800", "\\u{dc00}\\u{d800}"],
];

for (const [what, text, shown] of SHOWN) {
  Deno.test(`escapeControl() shows ${what}`, () => {
    assertEquals(escapeControl(text), shown);
    assertEquals(escapeControl(shown), shown, "nothing more changes the second time");
  });
}

Deno.test("escapeControl() shows every control, override and isolate", () => {
  const ranges: [number, number][] = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x2028, 0x202e],
    [0x2066, 0x2069],
  ];

  for (const [from, to] of ranges) {
    for (let code = from; code <= to; code++) {
      const shown = escapeControl(String.fromCodePoint(code));
      assertEquals(/^\\([nrt]|x[0-9a-f]{2}|u\{[0-9a-f]+\})$/.test(shown), true, shown);
    }
  }
});

const KEPT: [what: string, text: string][] = [
  ["an empty text", ""],
  ["printable ASCII", " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"],
  ["an escape that is already shown", "a\\nb\\x1b\\u{202e}"],
  ["Cyrillic", "Привет, Ёжик"],
  ["Arabic and Hebrew", "السلام عليكم שלום"],
  ["Chinese, Japanese and Korean", "你好 こんにちは 안녕"],
  ["a letter outside the basic plane", "𐍈 𠮷"],
  ["an ideograph with its variant", "葛\u{e0100}"],
  ["combining marks", "e\u0301 n\u0303 ก็"],
  ["Persian with a non-joiner", "می\u200cخواهم"],
  ["Hindi with a joiner", "क्\u200dष"],
  ["emoji", "😀 👍🏽 ❤\ufe0f 1\ufe0f\u20e3 🇫🇮"],
  ["an emoji family", "👩\u200d👩\u200d👧"],
  ["the flag of Scotland", "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}"],
  ["a black flag", "🏴"],
  ["a no-break space", "a\u00a0b"],
];

for (const [what, text] of KEPT) {
  Deno.test(`escapeControl() keeps ${what}`, () => {
    assertStrictEquals(escapeControl(text), text);
  });
}
