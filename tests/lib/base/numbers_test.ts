import { assertEquals } from "@std/assert";
import { count, MAX_DELAY_MS, timerDelay } from "../../../lib/base/numbers.ts";

Deno.test("count() has one thing, and any other number of things", () => {
  assertEquals([0, 1, 2].map((n) => count(n, "line")), ["0 lines", "1 line", "2 lines"]);
});

Deno.test("timerDelay() makes the longest delay of what a timer cannot take", () => {
  const delays = [5, MAX_DELAY_MS, MAX_DELAY_MS + 1, Infinity, NaN].map(timerDelay);

  assertEquals(delays, [5, ...Array(4).fill(MAX_DELAY_MS)]);
});
