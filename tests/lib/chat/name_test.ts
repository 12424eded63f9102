import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { isSameName, keyOfText, type Name, parseName } from "../../../lib/chat/name.ts";

function keyOf(text: string): string {
  return (parseName(text) as Name).key;
}

function reasonOf(text: string): string | undefined {
  const parsed = parseName(text);
  return "reason" in parsed ? parsed.reason : undefined;
}

Deno.test("parseName() takes letters of any script, digits, _ and -", () => {
  for (const name of ["Anna", "Борис", "李小龍", "علي", "x", "_-_", "r2-d2", "٣", "अनिल"]) {
    assertEquals((parseName(name) as Name).name, name.normalize("NFKC"));
  }
  for (const name of ["__proto__", "constructor"]) {
    assertEquals(parseName(name), { name, key: name });
  }
});

Deno.test("parseName() counts 1 to 32 characters after normalisation", () => {
  assertEquals(keyOf("𐐀".repeat(32)), "𐐨".repeat(32));
  assertEquals(keyOf("e\u0301".repeat(32)), "é".repeat(32));
  assertEquals(reasonOf("a".repeat(33)), "A name has at most 32 characters, not 33");
  assertEquals(reasonOf("ﬃ".repeat(11)), "A name has at most 32 characters, not 33");
  assertEquals(reasonOf(" "), "A name cannot be empty");
});

Deno.test("parseName() says which character does not belong, without quoting it", () => {
  const rule = "A name is made of letters, digits, _ and -";
  assertEquals(reasonOf("An na"), `${rule}, without spaces`);
  assertEquals(reasonOf("Anna〇"), `${rule}; U+3007 is none of these`);
  assertEquals(reasonOf("Anna\u3164"), `${rule}; U+1160 is none of these`);
  assertEquals(reasonOf("a\x1b[2J"), `${rule}; U+001B is none of these`);
  assertEquals(reasonOf("a👍"), `${rule}; U+1F44D is none of these`);
  assertEquals(reasonOf("a\ud800"), `${rule}; U+D800 is none of these`);
  assertEquals(reasonOf("a\u202eb"), `${rule}; U+202E is none of these`);
  assertEquals(reasonOf("1\u0301"), `${rule}; a combining mark must follow a letter`);
  assertEquals(reasonOf("\u0301"), `${rule}; a combining mark must follow a letter`);
  for (const invisible of ["\u3164", "\u115f", "\ufe0f", "\u200d", "\u034f", "\u00ad"]) {
    assert(reasonOf(invisible) !== undefined);
    assert(reasonOf(`Anna${invisible}`) !== undefined);
  }
});

Deno.test("parseName() drops blanks around a name and unifies compatible spellings", () => {
  assertEquals(parseName(" \u00a0Anna\n"), { name: "Anna", key: "anna" });
  assertEquals(parseName("Ａｎｎａ"), { name: "Anna", key: "anna" });
  assertEquals(keyOf("Ångström"), keyOf("A\u030angstro\u0308m"));
});

Deno.test("parseName() gives one key to all cases of a name", () => {
  const same = [
    ["straße", "STRASSE", "STRAẞE"],
    ["ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", "ὀδυσσεύσ"],
    [
      "Дмитрий",
      "ДМИТРИЙ",
    ],
    ["ıo", "IO", "io"],
    ["ﬁn", "FIN"],
    ["ΐ", "Ϊ\u0301"],
    ["ა", "Ა"],
    ["Ꭰ", "ꭰ"],
  ];
  for (const [first, ...others] of same) {
    for (const other of others) assertEquals(keyOf(other), keyOf(first!));
  }
});

Deno.test("parseName() keeps different letters apart", () => {
  assertNotEquals(keyOf("İo"), keyOf("io"));
  assertNotEquals(keyOf("Anna"), keyOf("Аnna"));
  assertNotEquals(keyOf("é"), keyOf("e"));
});

Deno.test("parseName() gives every letter a key that is a name with the same key", () => {
  for (let codePoint = 0; codePoint <= 0x1ffff; codePoint++) {
    const parsed = parseName(String.fromCodePoint(codePoint));
    if ("reason" in parsed) continue;
    assertEquals(parseName(parsed.name), parsed);
    assertEquals(keyOf(parsed.key), parsed.key);
    assertEquals(keyOf(parsed.name.toUpperCase()), parsed.key);
    assertEquals(keyOf(parsed.name.toLowerCase()), parsed.key);
  }
});

Deno.test("isSameName() is true for spellings of one name, and never for what is none", () => {
  assert(isSameName("Anna", "ANNA"));
  assert(!isSameName("Anna", "Bob"));
  assert(!isSameName("", ""));
  assert(!isSameName("no name", "no name"));
  assertEquals([keyOfText("Anna"), keyOfText("no name")], ["anna", ""]);
});
