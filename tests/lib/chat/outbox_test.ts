import { assertEquals, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { turns } from "../../support/turns.ts";
import { Outbox } from "../../../lib/chat/outbox.ts";

const FRAME = new Uint8Array(10);

/** A connection whose peer takes only what the test lets it take. */
class SlowSender {
  queuedBytes = 0;
  writtenBytes = 0;
  sendFrame(frame: Uint8Array): Promise<void> {
    this.queuedBytes += frame.length;
    return Promise.resolve();
  }
  take(bytes: number): void {
    this.queuedBytes -= bytes;
    this.writtenBytes += bytes;
  }
}

function slowOutbox(options: { maxQueuedBytes?: number; maxStalledMs?: number }) {
  const time = { nowMs: 60_000 };
  const clock = stub(performance, "now", () => time.nowMs);
  const sender = new SlowSender();
  const overflows: number[] = [];
  const onOverflow = () => void overflows.push(sender.queuedBytes);
  const outbox = new Outbox(sender, { ...options, onOverflow });
  return { time, sender, overflows, outbox, [Symbol.dispose]: () => clock.restore() };
}

/** Delivers one frame in each of so many turns that any peer could have taken something. */
async function deliverForTurns(outbox: Outbox): Promise<void> {
  for (let turn = 0; turn < 70; turn++) {
    await turns(1);
    outbox.deliver(FRAME);
  }
}

Deno.test("Outbox.deliver() gives up a peer that takes nothing while too much waits", async () => {
  using slow = slowOutbox({ maxQueuedBytes: 30, maxStalledMs: 100 });
  const { time, sender, overflows, outbox } = slow;

  for (let i = 0; i < 3; i++) outbox.deliver(FRAME);
  time.nowMs += 1000;
  for (let i = 0; i < 2; i++) outbox.deliver(FRAME);
  // However late it is: in one turn, nothing could be taken.
  time.nowMs += 1000;
  outbox.deliver(FRAME);
  assertEquals([sender.queuedBytes, overflows], [60, []]);
  await deliverForTurns(outbox);
  sender.take(sender.queuedBytes);
  outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows.length], [0, 1]);
});

Deno.test("Outbox.deliver() does not give up a peer in a hurry, however many turns pass", async () => {
  using slow = slowOutbox({ maxQueuedBytes: 100, maxStalledMs: 100 });
  const { time, overflows, outbox } = slow;

  for (let i = 0; i < 12; i++) outbox.deliver(FRAME);
  time.nowMs += 100;
  await deliverForTurns(outbox);
  assertEquals(overflows, []);
  time.nowMs += 1;
  outbox.deliver(FRAME);

  assertEquals(overflows.length, 1);
});

Deno.test("Outbox.deliver() goes on with a peer that takes a little now and then", () => {
  using slow = slowOutbox({ maxQueuedBytes: 30, maxStalledMs: 100 });
  const { time, sender, overflows, outbox } = slow;
  for (let i = 0; i < 10; i++) outbox.deliver(FRAME);

  for (let i = 0; i < 100; i++) {
    time.nowMs += 100;
    sender.take(10);
    outbox.deliver(FRAME);
  }

  assertEquals([sender.queuedBytes, overflows], [100, []]);
});

Deno.test("Outbox.deliver() takes sixteen times the limit from a burst, and no more", () => {
  using slow = slowOutbox({ maxQueuedBytes: 10 });
  const { sender, overflows, outbox } = slow;

  for (let i = 0; i < 20; i++) outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows], [170, [170]]);
});

Deno.test("Outbox.deliver() lets 1 MiB wait for a peer that takes nothing for 2 s, where no limits are given", async () => {
  using slow = slowOutbox({});
  const { time, sender, overflows, outbox } = slow;
  sender.queuedBytes = 1024 * 1024;

  outbox.deliver(FRAME);
  outbox.deliver(FRAME);
  time.nowMs += 2000;
  await deliverForTurns(outbox);
  assertEquals(overflows, []);
  time.nowMs += 1;
  outbox.deliver(FRAME);

  assertEquals(overflows.length, 1);
});

Deno.test("Outbox refuses limits that are no numbers from 0", () => {
  for (const name of ["maxQueuedBytes", "maxStalledMs"]) {
    const make = () => new Outbox(new SlowSender(), { [name]: NaN, onOverflow: () => {} });
    assertThrows(make, RangeError, `${name} is NaN`);
  }
});
