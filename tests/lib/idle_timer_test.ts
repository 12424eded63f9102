import { assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { IdleTimer } from "../../lib/idle_timer.ts";

Deno.test("IdleTimer is never early, and late by a quarter at most, wherever between two ticks it starts", () => {
  using time = new FakeTime();
  for (let offset = 0; offset <= 260; offset += 13) {
    let idleAt = 0;
    using timer = new IdleTimer(1000, () => idleAt ||= Date.now());
    time.tick(offset);
    const startedAt = Date.now();
    timer.start();
    for (let ms = 0; ms < 1300; ms++) time.tick(1);

    assertGreaterOrEqual(idleAt - startedAt, 1000);
    assertLessOrEqual(idleAt - startedAt, 1250);
  }
});

Deno.test("IdleTimer.note() begins the time anew", () => {
  using time = new FakeTime();
  let idle = 0;
  using timer = new IdleTimer(1000, () => idle++);
  timer.start();
  for (let i = 0; i < 10; i++) {
    time.tick(999);
    assertEquals([idle, timer.expired], [0, false]);
    timer.note();
  }

  time.tick(1250);

  assertGreater(idle, 0);
  assertEquals(timer.expired, true);
  timer.note();
  assertEquals(timer.expired, false);
});

Deno.test("IdleTimer.stop() ends the waiting, and start() begins it anew", () => {
  using time = new FakeTime();
  let idle = 0;
  using timer = new IdleTimer(1000, () => idle++);
  timer.start();
  time.tick(900);
  timer.stop();
  time.tick(5000);
  assertEquals(idle, 0);

  timer.start();
  time.tick(999);
  assertEquals(idle, 0);
  time.tick(251);
  assertEquals(idle, 1);
});

Deno.test("IdleTimer waits as long as a timer can for a time that no timer can have", () => {
  using time = new FakeTime();
  let idle = 0;
  for (const timeoutMs of [Infinity, 2 ** 40]) {
    using timer = new IdleTimer(timeoutMs, () => idle++);
    timer.start();

    time.tick(1_000_000);
  }

  assertEquals(idle, 0);
});
