import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import * as mock from "@std/testing/mock";
import * as time from "@std/testing/time";
import * as offlineMock from "../../../tools/std/testing/mock.ts";
import * as offlineTime from "../../../tools/std/testing/time.ts";

const std = { ...mock, ...time };
const offline = { ...offlineMock, ...offlineTime } as unknown as typeof std; // tested for less

for (const [source, tested] of Object.entries({ std, offline })) {
  const { spy, stub, assertSpyCalls, MockError, FakeTime, TimeError } = tested;
  const test = (name: string, fn: () => void | Promise<void>) =>
    Deno.test(`${source}: ${name}`, fn);

  test("FakeTime starts now, or when told to", () => {
    const before = Date.now();
    {
      using time = new FakeTime();
      assert(time.now >= before && time.now <= before + 60_000);
    }
    const time = new FakeTime("2026-01-02T03:04:05Z");
    assertEquals([time.now, time.start], [Date.UTC(2026, 0, 2, 3, 4, 5), time.now]);
    assertEquals(new Date().toISOString(), "2026-01-02T03:04:05.000Z");
    time.restore();
    assertThrows(() => new FakeTime("yesterday"), TypeError, "invalid start time");
  });

  test("FakeTime replaces Date without breaking it", () => {
    using time = new FakeTime(1_000);
    time.tick(500);
    assertEquals([Date.now(), new Date().getTime(), new Date(7).getTime()], [1_500, 1_500, 7]);
    assertEquals(Date.UTC(1970, 0, 1, 0, 0, 1), 1_000);
    assertInstanceOf(new Date(), Date);
    assertEquals(Date(), new Date(1_500).toString());
  });

  test("FakeTime.tick() runs timers in the order in which they are due", () => {
    using time = new FakeTime(0);
    const ran: unknown[] = [];
    setTimeout((...args: unknown[]) => ran.push([...args, Date.now()]), 20, "b", 2);
    setTimeout(() => ran.push(["a", Date.now()]), 10);
    setTimeout(() => ran.push(["c", Date.now()]), 20);
    setTimeout(() => ran.push("never"), 31);
    time.tick(30);
    assertEquals(ran, [["a", 10], ["b", 2, 20], ["c", 20]]);
    assertEquals(time.now, 30);
  });

  test("FakeTime.tick() runs timers that timers set, and what is due now", () => {
    using time = new FakeTime(0);
    const ran: number[] = [];
    setTimeout(() => setTimeout(() => ran.push(Date.now()), 5), 5);
    time.tick(9);
    assertEquals(ran, []);
    time.tick(1);
    setTimeout(() => ran.push(-1));
    time.tick();
    assertEquals(ran, [10, -1]);
  });

  test("FakeTime repeats an interval until it is cleared, also by itself", () => {
    using time = new FakeTime(0);
    const ran: number[] = [];
    const id = setInterval(() => ran.push(Date.now()), 10);
    const own = setInterval(() => ran.push(-Date.now()) === 4 && clearInterval(own), 10);
    time.tick(35);
    clearInterval(id);
    time.tick(35);
    assertEquals(ran, [10, -10, 20, -20, 30]);
  });

  test("FakeTime rounds delays down, to no less than 0, or 1 for an interval", () => {
    using time = new FakeTime(0);
    const ran: unknown[] = [];
    setTimeout(() => ran.push(["rounded", Date.now()]), 2.9);
    setTimeout(() => ran.push(["negative", Date.now()]), -5);
    const id = setInterval(() => ran.push(Date.now()), 0);
    clearTimeout(setTimeout(() => ran.push("cleared"), 1));
    for (const unknown of [12_345, undefined]) clearTimeout(unknown);
    time.tick(2);
    clearInterval(id);
    assertEquals(ran, [["negative", 0], 1, ["rounded", 2], 2]);
  });

  test("FakeTime.next() goes to the next timer", () => {
    using time = new FakeTime(0);
    const ran = spy();
    setTimeout(ran, 1_000);
    assertEquals(time.next(), true);
    assertEquals([time.now, ran.calls.length], [1_000, 1]);
    assertEquals(time.next(), false);
    assertEquals(time.now, 1_000);
  });

  test("FakeTime.nextAsync() sees timers that pending promises set", async () => {
    using time = new FakeTime(0);
    const ran = spy();
    Promise.resolve().then(() => setTimeout(ran, 10));
    assertEquals(await time.nextAsync(), true);
    assertSpyCalls(ran, 1);
  });

  test("FakeTime.now moves forward only, and stops at a timer that throws", () => {
    using time = new FakeTime(1_000);
    const ran = spy();
    setTimeout(ran, 500);
    time.now = 2_000;
    assertSpyCalls(ran, 1);
    assertThrows(() => time.now = 1_999, RangeError, "in the past");
    setTimeout(() => {
      throw new Error("timer");
    }, 10);
    assertThrows(() => time.tick(100), Error, "timer");
    assertEquals(time.now, 2_010);
  });

  test("FakeTime.tickAsync() lets promises go on first", async () => {
    using time = new FakeTime(0);
    const ran: number[] = [];
    (async () => {
      await Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, 10));
      ran.push(Date.now());
    })();
    await time.tickAsync(10);
    await time.runMicrotasks();
    assertEquals([ran, time.now], [[10], 10]);
  });

  test("FakeTime aborts signals in time", () => {
    using time = new FakeTime();
    const signal = AbortSignal.timeout(100);
    time.tick(99);
    assertEquals(signal.aborted, false);
    time.tick(1);
    assertEquals(signal.reason.name, "TimeoutError");
  });

  test("FakeTime.restore() brings everything back, once", async () => {
    const all = () => [Date, setTimeout, clearTimeout, setInterval, AbortSignal.timeout];
    const before = all();
    const time = new FakeTime(0);
    assertNotEquals(setTimeout, before[1]);
    assertThrows(() => new FakeTime(), TimeError, "already faked");
    time.restore();
    assertEquals(all(), before);
    assertThrows(() => time.restore(), TimeError, "already restored");
    await new Promise((resolve) => setTimeout(resolve, 0));
  });

  test("spy() remembers arguments, results, errors and this", () => {
    const half = spy(function (this: unknown, n: number) {
      if (n % 2) throw new RangeError("odd");
      return n / 2;
    });
    const self = { half };
    assertEquals([self.half(4), half(2)], [2, 1]);
    const error = assertThrows(() => half(3), RangeError);
    assertEquals(half.calls, [
      { args: [4], returned: 2, self },
      { args: [2], returned: 1 },
      { args: [3], error },
    ]);
    assertThrows(() => half.restore(), MockError, "cannot be restored");
  });

  test("spy() of a method passes the call on until it is restored", () => {
    const counter = { n: 1, add: (by: number) => counter.n += by };
    const original = counter.add;
    {
      using add = spy(counter, "add");
      assertEquals(counter.add(2), 3);
      assertSpyCalls(add, 1);
      assertStrictEquals(add.original, original);
    }
    assertStrictEquals(counter.add, original);
  });

  test("stub() replaces a method until the end of its block", () => {
    const clock = { now: () => 5 };
    {
      using now = stub(clock, "now", () => 7);
      assertEquals(clock.now(), 7);
      assertSpyCalls(now, 1);
      assertEquals(now.restored, false);
      assertThrows(() => stub(clock, "now"), MockError, "already spying");
    }
    assertEquals(clock.now(), 5);
    assertThrows(() => stub({ port: 9090 } as Record<string, unknown>, "port"), MockError);
  });

  test("stub() without a function does nothing", async () => {
    const conn = { write: (_bytes: Uint8Array) => Promise.reject(new Error("real")) };
    const write = stub(conn, "write");
    assertEquals(await conn.write(new Uint8Array(1)), undefined as never);
    write.restore();
    await assertRejects(() => conn.write(new Uint8Array(1)), Error, "real");
  });

  test("stub() of an inherited method uncovers it again", () => {
    class Base {
      name() {
        return "base";
      }
    }
    const object = new Base();
    const name = stub(object, "name", () => "stub");
    assertEquals(object.name(), "stub");
    name.restore();
    assertEquals([object.name(), Object.hasOwn(object, "name")], ["base", false]);
    assertThrows(() => name.restore(), MockError, "already restored");
  });

  test("assertSpyCalls() counts", () => {
    const called = spy();
    called();
    assertSpyCalls(called, 1);
    assertEquals(
      assertThrows(() => assertSpyCalls(called, 2), Error, "not called as much").name,
      "AssertionError",
    );
    assertThrows(() => assertSpyCalls(called, 0), Error, "more than expected");
  });
}
