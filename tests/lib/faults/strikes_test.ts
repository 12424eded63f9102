import { assert, assertEquals } from "@std/assert";
import { Strikes } from "../../../lib/faults/strikes.ts";

function struck(rate: number, ...seeds: number[]): number[] {
  const strikes = new Strikes(...seeds);
  return Array.from({ length: 10_000 }, (_, at) => at).filter((at) => strikes.strike(rate, at));
}

Deno.test("Strikes.strike() strikes as often as the rate says, at the places of its seeds", () => {
  const places = struck(0.1, 7, 1);

  assert(places.length > 800 && places.length < 1_200, `${places.length} of 10,000`);
  assertEquals(struck(0.1, 7, 1), places);
  const half = struck(0.5, 7, 1).length;
  assert(half > 4_700 && half < 5_300, `${half} of 10,000`);
  assert(struck(0.1, 7, 2).join() !== places.join());
});

Deno.test("Strikes.strike() strikes nowhere at rate 0 and everywhere at rate 1", () => {
  assertEquals(struck(0, 7).length, 0);
  assertEquals(struck(1, 7).length, 10_000);
});

Deno.test("Strikes.strike() strikes hardly anywhere at a rate hardly above 0", () => {
  assertEquals(struck(1e-17, 7).length, 0);
});

Deno.test("Strikes.strike() takes another rate from the place where it is told", () => {
  const strikes = new Strikes(7);

  assertEquals(strikes.strike(0, 0), false);
  assertEquals(strikes.strike(1, 1), true);
  assertEquals(strikes.strike(0, 2), false);
});
