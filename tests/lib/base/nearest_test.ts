import { assertEquals } from "@std/assert";
import { nearest } from "../../../lib/base/nearest.ts";

const COMMANDS = ["help", "status", "who", "pause", "resume", "logs", "clear-logs", "kick", "stop"];

Deno.test("nearest() finds the word behind a slip", () => {
  const slips = {
    hlep: "help",
    statu: "status",
    puase: "pause",
    STOPP: "stop",
    "clear-log": "clear-logs",
  };

  for (const [typed, meant] of Object.entries(slips)) assertEquals(nearest(typed, COMMANDS), meant);
});

Deno.test("nearest() takes the beginning of a word for the word", () => {
  assertEquals(nearest("res", COMMANDS), "resume");
  assertEquals(nearest("clear", COMMANDS), "clear-logs");
});

Deno.test("nearest() gives undefined when nothing is near", () => {
  for (const typed of ["", "xyzzy", "x".repeat(1_000_000)]) {
    assertEquals(nearest(typed, COMMANDS), undefined);
  }
  assertEquals(nearest("help", []), undefined);
});

Deno.test("nearest() counts a slip for each letter added, left out, replaced or swapped", () => {
  for (const typed of ["abxcd", "acd", "axcd", "bacd"]) {
    assertEquals(nearest(typed, ["abzzzz", "abcd"]), "abcd", typed);
  }
  assertEquals(nearest("abdc", ["xbdx", "abcd"]), "abcd");
  assertEquals(nearest("Ab", ["aBc"]), "aBc");
});

Deno.test("nearest() prefers the first of those that are equally near", () => {
  assertEquals(nearest("stap", ["stop", "step"]), "stop");
  assertEquals(nearest("s", ["status", "stop"]), "status");
});

Deno.test("nearest() lets up to half of the letters be wrong", () => {
  assertEquals(nearest("abxy", ["abcd"]), "abcd");
  assertEquals(nearest("axyz", ["abcd"]), undefined);
  assertEquals(nearest("abc", ["xabcyz"]), "xabcyz");
});

Deno.test("nearest() looks at the first 32 letters", () => {
  assertEquals(nearest("x".repeat(32), [`${"x".repeat(31)}y`]), `${"x".repeat(31)}y`);
  assertEquals(nearest("x".repeat(33), ["x".repeat(33)]), undefined);
});
