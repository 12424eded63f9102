import { assertEquals, assertThrows } from "@std/assert";
import { checkLimits, count, MAX_DELAY_MS, timerDelay } from "../../../lib/base/numbers.ts";

Deno.test("count() has one thing, and any other number of things", () => {
  assertEquals([0, 1, 2].map((n) => count(n, "line")), ["0 lines", "1 line", "2 lines"]);
});

Deno.test("timerDelay() makes the longest delay of what a timer cannot take", () => {
  const delays = [5, MAX_DELAY_MS, MAX_DELAY_MS + 1, Infinity, NaN].map(timerDelay);

  assertEquals(delays, [5, ...Array(4).fill(MAX_DELAY_MS)]);
});

Deno.test("checkLimits() names the limit that is not a number from 0", () => {
  checkLimits("serve", { a: 0, b: Infinity, c: undefined });
  for (const bad of [-1, NaN, "5" as never, null as never]) {
    const message = `Cannot serve: b is ${bad}. Give a number from 0`;
    assertThrows(() => checkLimits("serve", { a: 1, b: bad }), RangeError, message);
  }
  assertThrows(() => checkLimits("serve", { a: 0.5 }, 1), RangeError, "Give a number from 1");
});
