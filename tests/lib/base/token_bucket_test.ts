import { assertEquals, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { MAX_DELAY_MS } from "../../../lib/base/numbers.ts";
import { TokenBucket, TokenBuckets } from "../../../lib/base/token_bucket.ts";

Deno.test("TokenBucket.take() allows a burst, then as much as flows in", () => {
  let now = 0;
  using _clock = stub(performance, "now", () => now);
  const bucket = new TokenBucket({ burst: 3, perSecond: 5 });
  const take = (times: number) => Array.from({ length: times }, () => bucket.take());

  assertEquals(take(5), [0, 0, 0, 200, 200]);
  now += 150;
  assertEquals(take(1), [50]);
  now += 50;
  assertEquals(take(2), [0, 200]);
  now += 3_600_000;
  assertEquals(take(4), [0, 0, 0, 200]);
});

Deno.test("TokenBucket.take() tells a time after which there is a token, whatever the rate", () => {
  let now = 0.3;
  using _clock = stub(performance, "now", () => now);
  for (const perSecond of [0.1, 1, 3, 7, 999, 1e6]) {
    const bucket = new TokenBucket({ burst: 1, perSecond });
    bucket.take();
    assertEquals(bucket.take(), Math.ceil(1000 / perSecond));
    for (let i = 0; i < 100; i++) {
      now += bucket.take();
      assertEquals(bucket.take(), 0, `${perSecond}`);
    }
  }
});

Deno.test("TokenBucket takes no harm from a clock that jumps back", () => {
  let now = 1000;
  using _clock = stub(performance, "now", () => now);
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 });
  bucket.take();

  now = 0;

  assertEquals([bucket.full, bucket.take(), bucket.take()], [false, 0, 1000]);
  now = 2000;
  assertEquals([bucket.full, bucket.take(), bucket.take(), bucket.take()], [true, 0, 0, 1000]);
});

Deno.test("TokenBucket.wait() takes a token as soon as there is one", async () => {
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const bucket = new TokenBucket({ burst: 1, perSecond: 5 });
  const takenAt: number[] = [];
  const startedAt = time.now;

  const waits = [1, 2, 3].map(async () => {
    await bucket.wait();
    takenAt.push(time.now - startedAt);
  });
  await time.tickAsync(199);
  assertEquals(takenAt, [0]);
  for (let ms = 0; ms < 300; ms++) await time.tickAsync(1);
  await Promise.all(waits);

  assertEquals(takenAt, [0, 200, 400]);
});

Deno.test("TokenBuckets.take() counts for each user apart, and forgets none that is not full", () => {
  let now = 0;
  using _clock = stub(performance, "now", () => now);
  const buckets = new TokenBuckets({ burst: 1, perSecond: 1 });
  assertEquals([buckets.take("anna"), buckets.take("bob"), buckets.take("anna")], [0, 0, 1000]);

  now += 500;
  for (let i = 0; i < 5000; i++) buckets.take(`user ${i}`);

  assertEquals([buckets.take("anna"), buckets.take("user 0")], [500, 1000]);
  assertEquals(buckets.take("user 4999"), 1000, "one that was just made is not full");
});

Deno.test("TokenBuckets.take() forgets who has a full bucket, when there are many", () => {
  let now = 0;
  let looks = 0;
  using _clock = stub(performance, "now", () => (looks++, now));
  const buckets = new TokenBuckets({ burst: 1, perSecond: 1 });
  // A bucket looks at the clock when it is made, and when a token is taken.
  const looksFor = (key: string) => {
    const before = looks;
    buckets.take(key);
    return looks - before;
  };

  const [made, known] = [looksFor("anna"), looksFor("anna")];
  now += 1000;
  for (let i = 0; i < 1024; i++) buckets.take(`user ${i}`);

  assertEquals([made, known, looksFor("anna"), looksFor("user 0")], [2, 1, 2, 1]);
});

for (const Bucket of [TokenBucket, TokenBuckets]) {
  Deno.test(`${Bucket.name}() refuses numbers that would never give a token`, () => {
    for (const burst of [0, 0.5, -1, NaN]) {
      const refusal = `Cannot allow a burst of ${burst}: give at least 1`;
      assertThrows(() => new Bucket({ burst, perSecond: 1 }), RangeError, refusal);
    }
    for (const perSecond of [0, -1, NaN, Infinity]) {
      const refusal = `Cannot refill by ${perSecond} a second: give a finite number above 0`;
      assertThrows(() => new Bucket({ burst: 1, perSecond }), RangeError, refusal);
    }
  });
}

Deno.test("TokenBucket.wait() sets no timer for longer than a timer can wait", async () => {
  let now = 0;
  const delays: number[] = [];
  using _clock = stub(performance, "now", () => now);
  const bucket = new TokenBucket({ burst: 1, perSecond: 2e-7 });
  bucket.take();
  const setTimer = (callback: () => void, ms = 0) => {
    delays.push(ms);
    now += ms;
    queueMicrotask(callback);
  };
  using _timers = stub(globalThis, "setTimeout", setTimer as unknown as typeof setTimeout);

  await bucket.wait();

  assertEquals(Math.max(...delays), MAX_DELAY_MS);
});
