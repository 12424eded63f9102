import { assertEquals } from "@std/assert";
import { Throttle } from "../../../lib/store/throttle.ts";

function makeThrottle({ freeFailures = 3, maxKeys = 10_000 } = {}) {
  const clock = { ms: 1_000_000 };
  return { clock, throttle: new Throttle({ freeFailures, maxKeys, now: () => clock.ms }) };
}

Deno.test("Throttle.waitMs() lets a few failures go, then doubles up to 30 seconds", () => {
  const { clock, throttle } = makeThrottle();
  const waits: number[] = [];

  for (let attempt = 0; attempt < 12; attempt++) {
    waits.push(throttle.waitMs("anna"));
    clock.ms += throttle.waitMs("anna");
    throttle.begin("anna");
  }

  // After 31 s the first failure is forgotten.
  assertEquals(waits.slice(0, 9), [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
  assertEquals(waits.slice(9), [30_000, 30_000, 30_000]);
  assertEquals(throttle.waitMs("bob"), 0);
});

Deno.test("Throttle.begin() does not put off that failures are forgotten", () => {
  const { clock, throttle } = makeThrottle({ freeFailures: 1 });
  for (let failure = 0; failure < 5; failure++) throttle.begin("class");
  assertEquals(throttle.waitMs("class"), 16_000);

  for (let login = 0; login < 6; login++) {
    clock.ms += 29_000;
    throttle.begin("class");
    throttle.takeBack("class");
  }

  assertEquals(throttle.waitMs("class"), 0);
});

Deno.test("Throttle.waitMs() counts down, in whole milliseconds", () => {
  const { clock, throttle } = makeThrottle({ freeFailures: 1 });
  throttle.begin("anna");

  clock.ms += 400.5;
  assertEquals(throttle.waitMs("anna"), 600);
  clock.ms += 600;
  assertEquals(throttle.waitMs("anna"), 0);
});

Deno.test("Throttle.waitMs() is not prolonged by asking", () => {
  const { clock, throttle } = makeThrottle({ freeFailures: 0 });
  for (let attempt = 0; attempt < 100; attempt++) throttle.begin("anna");

  for (let second = 0; second < 30; second++) {
    assertEquals(throttle.waitMs("anna"), 30_000 - second * 1_000);
    clock.ms += 1_000;
  }

  assertEquals(throttle.waitMs("anna"), 0);
});

Deno.test("Throttle.waitMs() stays within its limit when the clock is set back", () => {
  const { clock, throttle } = makeThrottle({ freeFailures: 1 });
  throttle.begin("anna");

  clock.ms -= 3_600_000;

  assertEquals(throttle.waitMs("anna"), 1_000);
});

Deno.test("Throttle.begin() counts attempts that have not ended", () => {
  const { throttle } = makeThrottle();

  for (let attempt = 0; attempt < 4; attempt++) throttle.begin("anna");

  assertEquals(throttle.waitMs("anna"), 2_000);
});

Deno.test("Throttle.takeBack() undoes one attempt, reset() all", () => {
  const { throttle } = makeThrottle();
  for (let attempt = 0; attempt < 4; attempt++) throttle.begin("anna");

  throttle.takeBack("anna");
  assertEquals(throttle.waitMs("anna"), 1_000);
  throttle.reset("anna");
  assertEquals(throttle.waitMs("anna"), 0);
  throttle.takeBack("anna");
  throttle.begin("anna");
  assertEquals(throttle.waitMs("anna"), 0);
});

Deno.test("Throttle forgets one failure every 30 seconds, and then the key", () => {
  const { clock, throttle } = makeThrottle();
  for (let attempt = 0; attempt < 4; attempt++) throttle.begin("anna");

  clock.ms += 60_000;
  throttle.begin("anna");
  assertEquals(throttle.waitMs("anna"), 1_000);

  clock.ms += 90_000;
  throttle.begin("bob");
  assertEquals(throttle.size, 1);
});

Deno.test("Throttle forgets even the most stubborn in a few minutes", () => {
  const { clock, throttle } = makeThrottle();
  for (let attempt = 0; attempt < 1_000; attempt++) throttle.begin("eve");

  clock.ms += 8 * 30_000;
  throttle.begin("bob");

  assertEquals(throttle.size, 1);
});

Deno.test("Throttle remembers a bounded number of keys, the last used", () => {
  const { throttle } = makeThrottle({ freeFailures: 1, maxKeys: 3 });

  for (const key of ["a", "b", "c", "a", "d"]) throttle.begin(key);

  assertEquals(throttle.size, 3);
  assertEquals(["a", "b", "c", "d"].map((key) => throttle.waitMs(key) > 0), [
    true,
    false,
    true,
    true,
  ]);
});

Deno.test("Throttle.waitMs() begins with firstDelayMs, and with nothing where nothing failed", () => {
  const throttle = new Throttle({ freeFailures: 1, firstDelayMs: 100, now: () => 0 });

  throttle.begin("anna");

  assertEquals(throttle.waitMs("anna"), 100);
  assertEquals(new Throttle({ freeFailures: 0 }).waitMs("anna"), 0);
});

Deno.test("Throttle.takeBack() of more than there were gives nothing away", () => {
  const { throttle } = makeThrottle({ freeFailures: 1 });
  throttle.begin("anna");

  for (let again = 0; again < 3; again++) throttle.takeBack("anna");
  throttle.begin("anna");

  assertEquals(throttle.waitMs("anna"), 1_000);
});
