import { assertEquals, assertThrows } from "@std/assert";
import { assertSpyCalls, stub } from "@std/testing/mock";
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
  const now = () => time.nowMs;
  const sender = new SlowSender();
  const overflows: number[] = [];
  const onOverflow = () => void overflows.push(sender.queuedBytes);
  return { time, sender, overflows, outbox: new Outbox(sender, { ...options, now, onOverflow }) };
}

Deno.test("Outbox.deliver() takes frames up to the limit of bytes, and then no more", () => {
  const { sender, overflows, outbox } = slowOutbox({ maxQueuedBytes: 30 });

  for (let i = 0; i < 3; i++) outbox.deliver(FRAME);
  assertEquals([sender.queuedBytes, overflows], [30, []]);
  for (let i = 0; i < 3; i++) outbox.deliver(FRAME);
  sender.take(30);
  outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows], [0, [30]]);
});

Deno.test("Outbox.deliver() goes on for ever with a peer that keeps up", () => {
  const { time, sender, overflows, outbox } = slowOutbox({ maxQueuedBytes: 10, maxStalledMs: 100 });

  for (let i = 0; i < 100; i++) {
    outbox.deliver(FRAME);
    sender.take(10);
    time.nowMs += 1000;
  }

  assertEquals([sender.writtenBytes, overflows], [1000, []]);
});

Deno.test("Outbox.deliver() gives a peer up that takes nothing for too long", () => {
  const { time, sender, overflows, outbox } = slowOutbox({ maxStalledMs: 100 });

  outbox.deliver(FRAME);
  time.nowMs += 100;
  outbox.deliver(FRAME);
  sender.take(1);
  time.nowMs += 1;
  outbox.deliver(FRAME);
  time.nowMs += 100;
  outbox.deliver(FRAME);
  assertEquals(overflows, []);
  time.nowMs += 1;
  outbox.deliver(FRAME);

  assertEquals(overflows, [39]);
});

Deno.test("Outbox.deliver() does not take a peer for slow whose first bytes wait for the turn's end", () => {
  const { sender, overflows, outbox } = slowOutbox({});
  sender.queuedBytes = 100;

  outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows], [110, []]);
});

Deno.test("Outbox.deliver() does not take a peer for slow to which nothing was sent for long", () => {
  for (const justSent of [0, 5]) {
    const { time, sender, overflows, outbox } = slowOutbox({ maxStalledMs: 100 });
    time.nowMs += 1000;
    sender.queuedBytes = justSent;

    outbox.deliver(FRAME);

    assertEquals([sender.queuedBytes, overflows], [justSent + 10, []]);
  }
});

Deno.test("Outbox.deliver() takes a frame over the limit where nothing waits, and only there", () => {
  const { sender, overflows, outbox } = slowOutbox({ maxQueuedBytes: 9 });

  outbox.deliver(FRAME);
  sender.take(10);
  outbox.deliver(FRAME);
  assertEquals([sender.queuedBytes, overflows], [10, []]);
  outbox.deliver(FRAME);

  assertEquals(overflows, [10]);
});

Deno.test("Outbox.deliver() reads the clock once for a broadcast, and again for the next", async () => {
  const senders = Array.from({ length: 3 }, () => new SlowSender());
  const outboxes = senders.map((sender) => new Outbox(sender, { onOverflow() {} }));
  await null;
  using clock = stub(performance, "now", () => 60_000);

  for (const outbox of outboxes) outbox.deliver(FRAME);
  assertSpyCalls(clock, 1);
  await null;
  for (const outbox of outboxes) outbox.deliver(FRAME);

  assertSpyCalls(clock, 2);
});

Deno.test("Outbox.deliver() takes up to 1 MiB, and waits up to 10 s, where no limits are given", () => {
  const full = slowOutbox({});
  full.sender.queuedBytes = 1024 * 1024 - FRAME.length;
  for (let i = 0; i < 2; i++) full.outbox.deliver(FRAME);
  assertEquals(full.overflows, [1024 * 1024]);

  const stalled = slowOutbox({});
  for (const pauseMs of [0, 10_000, 1]) {
    stalled.time.nowMs += pauseMs;
    stalled.outbox.deliver(FRAME);
  }
  assertEquals(stalled.overflows, [20]);
});

Deno.test("Outbox refuses limits that are no numbers from 0", () => {
  for (const name of ["maxQueuedBytes", "maxStalledMs"]) {
    assertThrows(() => slowOutbox({ [name]: NaN }), RangeError, `${name} is NaN`);
  }
});
