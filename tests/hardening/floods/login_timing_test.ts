import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { loginTimes, longerShare } from "../../../tools/bench/login_timing.ts";
import { median } from "../../../tools/bench/report.ts";

const ROUNDS = 40;
// Equal distributions leave this range once in 100,000 runs: five deviations, each √((2n + 1) / 12) / n.
const LONGER_SHARE = 0.5 + 5 * Math.sqrt((2 * ROUNDS + 1) / 12) / ROUNDS;

Deno.test("longerShare() is half for equal distributions, and 1 and 0 for disjoint ones", () => {
  assertEquals(longerShare([1, 2, 3], [1, 2, 3]), 0.5);
  assertEquals(longerShare([4, 5], [1, 2, 3]), 1);
  assertEquals(longerShare([1], [2, 3]), 0);
});

Deno.test("A refused login takes as long for an unknown name as for a known one", async () => {
  const { "a known name": known, ...others } = await loginTimes(ROUNDS);

  for (const times of Object.values(others)) {
    const share = longerShare(times, known);
    assertLess(share, LONGER_SHARE);
    assertGreater(share, 1 - LONGER_SHARE);
    assertLess(Math.abs(Math.log2(median(times) / median(known))), 0.5);
  }
});
