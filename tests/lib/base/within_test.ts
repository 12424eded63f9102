import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { sleep, unlessAborted, within } from "../../../lib/base/within.ts";

Deno.test("unlessAborted() settles as the promise does, and rejects when the signal aborts before", async () => {
  const { signal } = new AbortController();
  const giveUp = new AbortController();
  const waiting = unlessAborted(new Promise(() => {}), giveUp.signal);
  giveUp.abort(new Error("enough"));

  assertEquals(await unlessAborted(Promise.resolve(1)), 1);
  assertEquals(await unlessAborted(Promise.resolve(2), signal), 2);
  await assertRejects(
    () => unlessAborted(Promise.reject(new Error("lost")), signal),
    Error,
    "lost",
  );
  await assertRejects(() => waiting, Error, "enough");
  await assertRejects(() => unlessAborted(Promise.resolve(3), giveUp.signal), Error, "enough");
});

Deno.test("within() gives whether a promise is fulfilled in time, rejects as it does, and leaves no timer", async () => {
  assertEquals(await within(60_000, Promise.resolve()), true);
  await assertRejects(() => within(60_000, Promise.reject(new Error("lost"))), Error, "lost");
  using time = new FakeTime();
  const { promise, resolve } = Promise.withResolvers<void>();

  const inTime = within(100, promise);
  await time.tickAsync(100);
  resolve();

  assertEquals(await inTime, false);
});

Deno.test("sleep() waits for its time, or rejects when its signal aborts, and leaves no timer", async () => {
  using time = new FakeTime();
  const patience = new AbortController();
  const slept = sleep(100).then(() => time.now - time.start);
  const given = sleep(60_000, patience.signal);

  await time.tickAsync(100);
  patience.abort(new Error("enough"));

  assertEquals(await slept, 100);
  await assertRejects(() => given, Error, "enough");
  assertEquals(time.next(), false);
});
