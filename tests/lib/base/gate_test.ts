import { assertEquals, assertRejects } from "@std/assert";
import { Gate } from "../../../lib/base/gate.ts";

Deno.test("Gate.run() runs a few at a time, the others in the order they came", async () => {
  const gate = new Gate({ maxRunning: 2, maxWaiting: 3 });
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>());

  const runs = ends.map((end, index) =>
    gate.run(() => {
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

Deno.test("Gate.run() gives null at once when enough are waiting, until there is room", async () => {
  const gate = new Gate({ maxRunning: 1, maxWaiting: 1 });
  const end = Promise.withResolvers<void>();
  const runs = [gate.run(() => end.promise), gate.run(() => end.promise)];

  assertEquals(gate.isFull, true);
  assertEquals(gate.run(() => Promise.reject(new Error("must not run"))), null);

  end.resolve();
  await Promise.all(runs);
  assertEquals(gate.isFull, false);
  assertEquals(await gate.run(() => Promise.resolve("in")), "in");
});

Deno.test("Gate.run() makes room when a task fails", async () => {
  const gate = new Gate({ maxRunning: 1, maxWaiting: 1 });

  const failing = gate.run(() => Promise.reject(new Error("broken")));
  const next = gate.run(() => Promise.resolve("next"));

  await assertRejects(() => failing!, Error, "broken");
  assertEquals(await next, "next");
  assertEquals(await gate.run(() => Promise.resolve("last")), "last");
});

Deno.test("Gate.run() lets nobody in before those who wait", async () => {
  const gate = new Gate({ maxRunning: 1, maxWaiting: 9 });
  const ends = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const enter = (index: number) =>
    gate.run(() => {
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
