import { assertEquals } from "@std/assert";
import { Throttle } from "../../../lib/store/throttle.ts";
import { stubClock } from "../../support/turns.ts";

function makeThrottle({ freeFailures = 3, maxKeys = 10_000 } = {}) {
  const clock = stubClock(1_000_000);
  const throttle = new Throttle({ freeFailures, maxKeys });
  return { clock, throttle, [Symbol.dispose]: () => clock[Symbol.dispose]() };
}

Deno.test("Throttle.waitMs() lets a few failures go, then doubles up to 30 seconds", () => {
  using made = makeThrottle();
  const { clock, throttle } = made;
  const waits: number[] = [];

  for (let attempt = 0; attempt < 12; attempt++) {
    waits.push(throttle.waitMs("anna", "x"));
    clock.ms += throttle.waitMs("anna", "x");
    throttle.begin("anna", "x");
  }

  // After 31 s the first failure is forgotten.
  assertEquals(waits.slice(0, 9), [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
  assertEquals(waits.slice(9), [30_000, 30_000, 30_000]);
  assertEquals(throttle.waitMs("bob", "x"), 0);
});

Deno.test("Throttle.begin() does not put off that failures are forgotten", () => {
  using made = makeThrottle({ freeFailures: 1 });
  const { clock, throttle } = made;
  for (let failure = 0; failure < 5; failure++) throttle.begin("class", "x");
  assertEquals(throttle.waitMs("class", "x"), 16_000);

  for (let login = 0; login < 6; login++) {
    clock.ms += 29_000;
    throttle.begin("class", "x");
    throttle.takeBack("class");
  }

  assertEquals(throttle.waitMs("class", "x"), 0);
});

Deno.test("Throttle.waitMs() counts down in whole milliseconds, whatever was asked", () => {
  using made = makeThrottle({ freeFailures: 0 });
  const { clock, throttle } = made;
  throttle.begin("bob", "x");
  clock.ms += 400.5;
  assertEquals(throttle.waitMs("bob", "x"), 1_600);
  for (let attempt = 0; attempt < 100; attempt++) throttle.begin("anna", "x");

  for (let second = 0; second < 30; second++) {
    assertEquals(throttle.waitMs("anna", "x"), 30_000 - second * 1_000);
    clock.ms += 1_000;
  }

  assertEquals(throttle.waitMs("anna", "x"), 0);
});

Deno.test("Throttle.waitMs() stays within its limit when the clock is set back", () => {
  using made = makeThrottle({ freeFailures: 1 });
  const { clock, throttle } = made;
  throttle.begin("anna", "x");

  clock.ms -= 3_600_000;

  assertEquals(throttle.waitMs("anna", "x"), 1_000);
});

Deno.test("Throttle.takeBack() undoes one attempt, reset() all", () => {
  using made = makeThrottle();
  const { throttle } = made;
  for (let attempt = 0; attempt < 4; attempt++) throttle.begin("anna", "x");

  throttle.takeBack("anna");
  assertEquals(throttle.waitMs("anna", "x"), 1_000);
  throttle.reset("anna");
  assertEquals(throttle.waitMs("anna", "x"), 0);
  throttle.begin("anna", "x");
  for (let again = 0; again < 3; again++) throttle.takeBack("anna");
  for (let attempt = 0; attempt < 3; attempt++) throttle.begin("anna", "x");
  assertEquals(throttle.waitMs("anna", "x"), 1_000, "more taken back than there were");
});

Deno.test("Throttle forgets one failure every 30 seconds, and even the most stubborn key in 4 minutes", () => {
  using made = makeThrottle();
  const { clock, throttle } = made;
  for (let attempt = 0; attempt < 1_000; attempt++) throttle.begin("eve", "x");
  clock.ms += 8 * 30_000;
  for (let attempt = 0; attempt < 4; attempt++) throttle.begin("anna", "x");
  assertEquals(throttle.size, 1);

  clock.ms += 60_000;
  throttle.begin("anna", "x");
  assertEquals(throttle.waitMs("anna", "x"), 1_000);

  clock.ms += 90_000;
  throttle.begin("bob", "x");
  assertEquals(throttle.size, 1);
});

Deno.test("Throttle remembers a bounded number of keys, the last used", () => {
  using made = makeThrottle({ freeFailures: 1, maxKeys: 3 });
  const { throttle } = made;

  for (const key of ["a", "b", "c", "a", "d"]) throttle.begin(key, "x");

  assertEquals(throttle.size, 3);
  assertEquals(["a", "b", "c", "d"].map((key) => throttle.waitMs(key, "x") > 0), [
    true,
    false,
    true,
    true,
  ]);
});

/** A throttle after failures that make each next attempt at `vera` wait 30 s, and its clients. */
function underAttack() {
  const made = makeThrottle({ freeFailures: 0 });
  const { clock, throttle } = made;
  for (let failure = 0; failure < 9; failure++) throttle.begin("vera", "attacker");
  /** Begins an attempt, which fails, and tells how long it had to wait. */
  const attempt = (client: string) => {
    const waitMs = throttle.waitMs("vera", client);
    if (waitMs > 0) throttle.enqueue("vera", client, waitMs);
    else throttle.begin("vera", client);
    return waitMs;
  };
  return { clock, attempt, [Symbol.dispose]: () => made[Symbol.dispose]() };
}

Deno.test("Throttle lets the next in a queue pass a client that does not come", () => {
  using attack = underAttack();
  const { clock, attempt } = attack;
  for (const client of ["a", "b", "c"]) assertEquals(attempt(client), 30_000);

  clock.ms += 60_000; // The turn of `a` is over.
  assertEquals(attempt("d"), 30_000);
  assertEquals(attempt("b"), 0);
});

Deno.test("Throttle limits the places of a queue, and forgets those who left it", () => {
  using attack = underAttack();
  const { clock, attempt } = attack;
  for (let i = 0; i < 100; i++) attempt(`client ${i}`);
  clock.ms += 59_000;
  assertEquals(attempt("early"), 30_000);

  clock.ms += 1_001;

  assertEquals(attempt("owner"), 0);
});
