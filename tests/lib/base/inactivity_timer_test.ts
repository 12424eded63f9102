import { assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { IdleTimer } from "../../../lib/base/idle_timer.ts";

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
  using intervals = spy(globalThis, "setInterval");
  let idle = 0;
  for (const timeoutMs of [Infinity, 2 ** 40]) {
    using timer = new IdleTimer(timeoutMs, () => idle++);
    timer.start();

    time.tick(1_000_000);
  }

  assertEquals(idle, 0);
  assertEquals(intervals.calls.map(({ args }) => args[1]), Array(2).fill(2 ** 31 - 1));
});

Deno.test("IdleTimers of one timeout share an interval, and each keeps its own time", () => {
  using time = new FakeTime();
  using intervals = spy(globalThis, "setInterval");
  const idleAt: number[] = [];
  const startedAt: number[] = [];
  using timers = new DisposableStack();
  for (let i = 0; i < 8; i++) {
    const timer = timers.use(new IdleTimer(1000, () => idleAt[i] ??= Date.now()));
    startedAt[i] = Date.now();
    timer.start();
    time.tick(100);
  }
  assertEquals(intervals.calls.length, 1);

  for (let ms = 0; ms < 1300; ms++) time.tick(1);
  for (const [i, at] of idleAt.entries()) {
    assertGreaterOrEqual(at - startedAt[i]!, 1000);
    assertLessOrEqual(at - startedAt[i]!, 1250);
  }
  assertEquals(idleAt.length, 8);
});

Deno.test("IdleTimer that is disposed of twice leaves those that came later alone", () => {
  using time = new FakeTime();
  using intervals = spy(globalThis, "setInterval");
  let idle = 0;
  const gone = new IdleTimer(1000, () => idle++);
  gone.start();
  gone[Symbol.dispose]();
  using later = new IdleTimer(1000, () => idle++);
  gone[Symbol.dispose]();
  using latest = new IdleTimer(1000, () => idle++);
  later.start();
  latest.start();
  time.tick(1250);

  assertEquals([idle, intervals.calls.length], [2, 2]);
});

Deno.test("IdleTimer that is disposed of leaves the others ticking, and nothing when it is the last", () => {
  using time = new FakeTime();
  let idle = 0;
  const [gone, stays] = [new IdleTimer(1000, () => {}), new IdleTimer(1000, () => idle++)];
  stays.start();

  gone[Symbol.dispose]();
  time.tick(1250);
  assertEquals(idle, 1);
  stays[Symbol.dispose]();

  assertEquals(time.next(), false);
});

Deno.test("IdleTimer does not keep the process alive", () => {
  using unrefs = spy(Deno, "unrefTimer");

  using _timer = new IdleTimer(1000, () => {});

  assertSpyCalls(unrefs, 1);
});
