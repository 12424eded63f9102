import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { seededRandom } from "../../../lib/base/seeded_random.ts";

function series(...seeds: number[]): number[] {
  const random = seededRandom(...seeds);
  return Array.from({ length: 1000 }, () => random());
}

Deno.test("seededRandom() gives the same series for the same seeds, and another for others, also in another order", () => {
  const seeds = [[], [0], [0, 0], [1], [1, 2], [2, 1], [2 ** 32 - 1], [1, 2, 0]];
  const firsts = new Set(seeds.map((seed) => series(...seed)[0]));

  assertEquals(firsts.size, seeds.length);
  assertEquals(series(1, 2, 3), series(1, 2, 3));
  assertNotEquals(series(1), series(2));
});

Deno.test("seededRandom() spreads its numbers evenly from 0 to 1", () => {
  for (let seed = 0; seed < 20; seed++) {
    const numbers = series(seed);
    const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;

    assert(numbers.every((number) => number >= 0 && number < 1));
    assert(mean > 0.45 && mean < 0.55, `seed ${seed}: the mean is ${mean}`);
  }
});
