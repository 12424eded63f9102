import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { hasTooManyMarks, passwordLength } from "../../../lib/chat/lengths.ts";
import { lookOf } from "../../../lib/chat/confusables.ts";
import { parseName } from "../../../lib/chat/name.ts";
import { parseNewName } from "../../../lib/chat/new_name.ts";

function reasonOf(text: string): string | undefined {
  const parsed = parseNewName(text);
  return "reason" in parsed ? parsed.reason : undefined;
}

Deno.test("parseNewName() takes names of one script, and those that are written in several", () => {
  const names = "Anna Анна2 Ωμέγα r2-d2 Nguyễn İpek अनिल บุญ علي 李小龍".split(" ");
  const mixed = ["ひろミ漢a", "abc한", "ab注音ㄅ", "Жанна_2", "O_o", "က္က"];

  for (const name of [...names, ...mixed]) assertEquals(reasonOf(name), undefined, name);
});

const REFUSED: Record<string, [reason: RegExp, names: string[]]> = {
  "without a letter": [/at least one letter/, ["-", "_-_", "3", "127", "٣", "３", "ー", "ʼ"]],
  "of mixed scripts": [
    /does not mix letters/,
    ["Аnna", "Annа", "Αnna", "nоtice", "Ꭺnna", "אA", "カ한", "aไ", "мкр-on"],
  ],
  "of phonetic notation": [/phonetic notation/, ["ᴀnna", "Anɴa", "Annaˈ", "Annaˍ", "ˌAnna", "ʟeo"]],
  "with what cannot be seen": [
    /cannot be seen/,
    ["\u{13441}", "Anna\u{13442}", "Anna\u{16fe4}", "Anna\u{1bc9d}", "Anna\u2d7f", "က္", "Ж\u0488"],
  ],
  "with a stack of marks": [/at most 4 combining marks/, ["A" + "\u0353".repeat(5)]],
  "that a program says": [
    /is reserved/,
    "Notice NOTICE N0tice HeIp _server_ s-y-s-t-e-m help You Сервер помощь".split(" "),
  ],
  "with unassigned or private characters": [/letters, digits/, [
    "a\u0378",
    "a\ue000",
    "a\u{e01ff}",
  ]],
};

for (const [what, [reason, names]] of Object.entries(REFUSED)) {
  Deno.test(`parseNewName() refuses names ${what}`, () => {
    for (const name of names) assertMatch(reasonOf(name) ?? "", reason, name);
  });
}

function areAlike(a: string, b: string): boolean {
  const [first, second] = [lookOf(a), lookOf(b)];
  return first.written === second.written || first.capitals === second.capitals;
}

Deno.test("lookOf() is alike for names that look alike, and for no others", () => {
  const alike = [
    ["Copa", "Сора", "СОРА"], // Latin, Cyrillic
    ["Ian", "lan"],
    ["Ian", "1an"],
    ["ivan", "i\u0307van"],
    ["jọn", "j\u0307ọn"],
    ["Oleg", "0leg"],
    ["modem", "rnodern"],
    ["Kate", "KATE", "КАТЕ", "ΚΑΤΕ"], // Latin, Cyrillic, Greek
    ["Copia", "СОРІА"],
    ["محمد", "محـمد"],
  ];
  const different = "Anna Anne Анна Lan Ian Neil Nell Ёлка Елка a2 a3".split(" ");

  for (const [first, ...others] of alike) {
    for (const other of others) assert(areAlike(first!, other), `${first} ${other}`);
  }
  for (const a of different) {
    for (const b of different) assertEquals(areAlike(a, b), a === b, `${a} ${b}`);
  }
});

Deno.test("hasTooManyMarks() counts the marks of one character, whatever is between them", () => {
  const four = "e\u0301\u0316\u0301\u0316";

  assertEquals([four, four.repeat(9), "❤️‍🔥 1️⃣", "ế"].map(hasTooManyMarks), Array(4).fill(false));
  assertEquals(
    [`${four}\u0301`, "\u0301".repeat(5), [...four, "\u0301"].join("\u200d")].map(hasTooManyMarks),
    Array(3).fill(true),
  );
});

Deno.test("A text that is too long for a name or a password is not normalised", () => {
  const flood = "a" + "\u0301".repeat(250_000) + "\u0316".repeat(250_000); // would take minutes
  const start = performance.now();

  assertEquals(parseName(flood), { reason: "A name has at most 32 characters" });
  assertEquals(passwordLength(flood), flood.length);

  assertLess(performance.now() - start, 1_000);
});
