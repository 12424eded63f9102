import { assertEquals, assertThrows } from "@std/assert";
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

Deno.test("Outbox.deliver() gives up a peer that takes nothing while too much waits", () => {
  const { time, sender, overflows, outbox } = slowOutbox({
    maxQueuedBytes: 30,
    maxStalledMs: 100,
  });

  for (let i = 0; i < 3; i++) outbox.deliver(FRAME);
  time.nowMs += 1000;
  for (let i = 0; i < 2; i++) outbox.deliver(FRAME);
  time.nowMs += 100;
  outbox.deliver(FRAME);
  assertEquals([sender.queuedBytes, overflows], [60, []]);
  time.nowMs += 1;
  outbox.deliver(FRAME);
  sender.take(60);
  outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows], [0, [60]]);
});

Deno.test("Outbox.deliver() goes on with a peer that takes a little now and then", () => {
  const { time, sender, overflows, outbox } = slowOutbox({ maxQueuedBytes: 30, maxStalledMs: 100 });
  for (let i = 0; i < 10; i++) outbox.deliver(FRAME);

  for (let i = 0; i < 100; i++) {
    time.nowMs += 100;
    sender.take(10);
    outbox.deliver(FRAME);
  }

  assertEquals([sender.queuedBytes, overflows], [100, []]);
});

Deno.test("Outbox.deliver() takes sixteen times the limit from a burst, and no more", () => {
  const { sender, overflows, outbox } = slowOutbox({ maxQueuedBytes: 10 });

  for (let i = 0; i < 20; i++) outbox.deliver(FRAME);

  assertEquals([sender.queuedBytes, overflows], [170, [170]]);
});

Deno.test("Outbox.deliver() lets 1 MiB wait for a peer that takes nothing for 2 s, where no limits are given", () => {
  const { time, sender, overflows, outbox } = slowOutbox({});
  sender.queuedBytes = 1024 * 1024;

  for (const pauseMs of [0, 0, 2000, 1]) {
    time.nowMs += pauseMs;
    outbox.deliver(FRAME);
  }

  assertEquals(overflows, [1024 * 1024 + 30]);
});

Deno.test("Outbox refuses limits that are no numbers from 0", () => {
  for (const name of ["maxQueuedBytes", "maxStalledMs"]) {
    assertThrows(() => slowOutbox({ [name]: NaN }), RangeError, `${name} is NaN`);
  }
});
