import { assertEquals, assertRejects } from "@std/assert";
import { Semaphore } from "../../../lib/base/semaphore.ts";

Deno.test("Semaphore.run() runs a few at a time, the others in the order they came", async () => {
  const semaphore = new Semaphore({ maxRunning: 2, maxWaiting: 3 });
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>());

  const runs = ends.map((end, index) =>
    semaphore.run(() => {
      started.push(index);
      return end.promise;
    })
  );

  assertEquals(started, [0, 1]);
  ends[1]!.resolve(10);
  assertEquals(await runs[1], 10);
  assertEquals(started, [0, 1, 2]);
  for (const end of ends) end.resolve(20);
  assertEquals(await Promise.all(runs), [20, 10, 20, 20, 20]);
  assertEquals(started, [0, 1, 2, 3, 4]);
});

Deno.test("Semaphore.run() gives null at once when enough are waiting, until there is room", async () => {
  const semaphore = new Semaphore({ maxRunning: 1, maxWaiting: 1 });
  const end = Promise.withResolvers<void>();
  const runs = [semaphore.run(() => end.promise), semaphore.run(() => end.promise)];

  assertEquals(semaphore.isFull, true);
  assertEquals(semaphore.run(() => Promise.reject(new Error("must not run"))), null);

  end.resolve();
  await Promise.all(runs);
  assertEquals(semaphore.isFull, false);
  assertEquals(await semaphore.run(() => Promise.resolve("in")), "in");
});

Deno.test("Semaphore.run() makes room when a task fails", async () => {
  const semaphore = new Semaphore({ maxRunning: 1, maxWaiting: 1 });

  const failing = semaphore.run(() => Promise.reject(new Error("broken")));
  const next = semaphore.run(() => Promise.resolve("next"));

  await assertRejects(() => failing!, Error, "broken");
  assertEquals(await next, "next");
  assertEquals(await semaphore.run(() => Promise.resolve("last")), "last");
});

Deno.test("Semaphore.run() lets nobody in before those who wait", async () => {
  const semaphore = new Semaphore({ maxRunning: 1, maxWaiting: 9 });
  const ends = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const enter = (index: number) =>
    semaphore.run(() => {
      started.push(index);
      return ends[index]!.promise;
    });

  const runs = [enter(0), enter(1)];
  ends[0]!.resolve();
  await runs[0];
  runs.push(enter(2));

  assertEquals(started, [0, 1]);
  for (const end of ends) end.resolve();
  await Promise.all(runs);
  assertEquals(started, [0, 1, 2]);
});
