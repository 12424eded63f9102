import { assert, assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";
import { TurnShare } from "../../../lib/chat/turn_share.ts";

function busyFor(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

Deno.test("TurnShare.run() lets turns of the event loop pass between costly pieces", async () => {
  const share = new TurnShare();
  const order: string[] = [];
  const work = () => {
    busyFor(3);
    order.push("work");
    setImmediate(() => order.push("other"));
  };

  await Promise.all(Array.from({ length: 5 }, () => share.run(work)));

  assertEquals(order.slice(0, 9).join(" "), "work other ".repeat(5).slice(0, -7));
});

Deno.test("TurnShare.run() does many cheap pieces in one turn, in the order they came", async () => {
  const share = new TurnShare();
  let timers = 0;
  const counting = setInterval(() => timers++);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  const done: number[] = [];

  const results = await Promise.all(numbers.map((n) => share.run(() => (done.push(n), n))));
  clearInterval(counting);

  assertEquals([done, results], [numbers, numbers]);

  assert(timers < 100, `${timers} timers`);
});

Deno.test("TurnShare.run() fails as its work does, and goes on with the next", async () => {
  const share = new TurnShare();

  const thrown = share.run(() => {
    throw new Error("thrown");
  });
  const rejected = share.run(() => Promise.reject(new Error("rejected")));
  const next = share.run(() => "next");

  await assertRejects(() => thrown, Error, "thrown");
  await assertRejects(() => rejected, Error, "rejected");
  assertEquals(await next, "next");
});

Deno.test("TurnShare.run() is not held up by a promise that never settles, nor by work that adds work", async () => {
  const share = new TurnShare();

  share.run(() => new Promise(() => {}));
  const inner = share.run(() => share.run(() => "inner"));

  assertEquals(await inner, "inner");
});
