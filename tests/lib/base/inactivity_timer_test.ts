import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { InactivityTimer } from "../../../lib/base/inactivity_timer.ts";

/** Something that is watched: `progress` is what it gives, `inactiveAt` when it was reported. */
class Watched implements Disposable {
  done: number | undefined = 0;
  inactiveAt: number[] = [];
  readonly #timer: InactivityTimer;

  constructor(timeoutMs = 1000) {
    this.#timer = new InactivityTimer(timeoutMs, this);
  }

  progress = () => this.done;
  onInactive = () => void this.inactiveAt.push(Date.now());
  [Symbol.dispose] = () => this.#timer[Symbol.dispose]();
}

function pass(time: FakeTime, ms: number): void {
  for (let i = 0; i < ms; i++) time.tick(1);
}

Deno.test("InactivityTimer is never early, and late by a quarter at most, wherever between two ticks the time starts", () => {
  using time = new FakeTime();
  for (let offset = 0; offset <= 260; offset += 13) {
    using watched = new Watched();
    watched.done = NaN;
    pass(time, offset);
    const startedAt = Date.now();
    watched.done = 7;
    pass(time, 1300);

    assertGreaterOrEqual(watched.inactiveAt[0]! - startedAt, 1000);
    assertLessOrEqual(watched.inactiveAt[0]! - startedAt, 1250);
  }
});

Deno.test("InactivityTimer starts the time anew with each progress, and after each report", () => {
  using time = new FakeTime();
  using watched = new Watched();
  for (let i = 0; i < 10; i++) {
    watched.done = i;
    pass(time, 999);
    assertEquals(watched.inactiveAt, []);
  }

  pass(time, 2500);

  assertEquals(watched.inactiveAt.length, 2);
});

Deno.test("InactivityTimer stops the clock while the progress is undefined", () => {
  using time = new FakeTime();
  using watched = new Watched();
  pass(time, 800);
  watched.done = undefined;
  pass(time, 5000);
  assertEquals(watched.inactiveAt, []);

  watched.done = 0;
  pass(time, 500);

  assertEquals(watched.inactiveAt.length, 1);
});

Deno.test("InactivityTimer waits as long as a timer can for a time that no timer can have", () => {
  using time = new FakeTime();
  using intervals = spy(globalThis, "setInterval");
  for (const timeoutMs of [Infinity, 2 ** 40]) {
    using watched = new Watched(timeoutMs);
    time.tick(1_000_000);
    assertEquals(watched.inactiveAt, []);
  }

  assertEquals(intervals.calls.map(({ args }) => args[1]), Array(2).fill(2 ** 31 - 1));
});

Deno.test("InactivityTimers of one timeout share an interval that ends with the last, and keeps no process alive", () => {
  using time = new FakeTime();
  using intervals = spy(globalThis, "setInterval");
  using unrefs = spy(Deno, "unrefTimer");
  const gone = new Watched();
  using stays = new Watched();
  gone[Symbol.dispose]();
  gone[Symbol.dispose]();
  using late = new Watched();

  pass(time, 1250);
  assertEquals([gone, stays, late].map(({ inactiveAt }) => inactiveAt.length), [0, 1, 1]);
  assertSpyCalls(intervals, 1);
  assertSpyCalls(unrefs, 1);

  for (const watched of [stays, late]) watched[Symbol.dispose]();
  assertEquals(time.next(), false);
});
