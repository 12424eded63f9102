import { assertEquals } from "@std/assert";
import { nearest } from "../../lib/nearest.ts";

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
