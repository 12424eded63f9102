import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type OwnMessage, PendingMessages } from "../../../client/session/pending.ts";
import { MAX_RETRY_AFTER_MS } from "../../../lib/conn/reconnect.ts";

/** A queue with messages of these refs, and the refs that it has sent. */
function queueOf(...refs: string[]) {
  const sent: string[] = [];
  const pending = new PendingMessages((message: OwnMessage) => sent.push(message.ref));
  pending.open();
  for (const ref of refs) pending.add({ type: "say", ref, text: "x" });
  return { pending, sent };
}

Deno.test("PendingMessages.stored() takes out the message on its way, and no other", () => {
  const { pending, sent } = queueOf("a", "b");

  assertEquals([pending.stored("b"), pending.stored("c"), pending.count], [
    undefined,
    undefined,
    2,
  ]);
  assertEquals(pending.stored("a")?.ref, "a");
  assertEquals(sent, ["a", "b"]);
});

Deno.test("PendingMessages.stored() begins the waits anew for the next message", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a", "b");
  for (let i = 0; i < 3; i++) {
    pending.refused("a", "unavailable");
    await time.tickAsync(2000);
  }

  pending.stored("a");
  pending.refused("b", "unavailable");
  await time.tickAsync(500);

  assertEquals(sent, ["a", "a", "a", "a", "b", "b"]);
});

Deno.test("PendingMessages.close() sends nothing until the next open, neither late nor new", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a");
  pending.refused("a", "too_fast", 1000);
  pending.close();

  await time.tickAsync(1000);
  assertEquals(pending.refused("a", "too_long")?.ref, "a");
  pending.add({ type: "say", ref: "b", text: "x" });

  assertEquals(sent, ["a"]);
  pending.open();
  assertEquals(sent, ["a", "b"]);
});

Deno.test("PendingMessages.refused() sends once more, however often it is refused meanwhile", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a");

  for (let i = 0; i < 3; i++) pending.refused("a", "too_fast", 1000);
  await time.tickAsync(1000);

  assertEquals(sent, ["a", "a"]);
});

Deno.test("PendingMessages.refused() waits five minutes at most, whatever the server asks for", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a");

  pending.refused("a", "too_fast", Number.MAX_SAFE_INTEGER);
  await time.tickAsync(MAX_RETRY_AFTER_MS - 1);
  assertEquals(sent, ["a"]);
  await time.tickAsync(1);

  assertEquals(sent, ["a", "a"]);
});

Deno.test("PendingMessages.refused() waits for a time of its own where the server says 0", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a");

  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 10; i++) pending.refused("a", "too_fast", 0);
    await time.tickAsync(1000);
  }

  assert(sent.length < 20, `sent ${sent.length} times`);
});

Deno.test("PendingMessages.refused() waits longer each time when the server does not say how long", async () => {
  using time = new FakeTime();
  const { pending, sent } = queueOf("a");
  for (const ms of [100, 200]) {
    pending.refused("a", "unavailable");
    await time.tickAsync(ms);
  }

  pending.refused("a", "unavailable");
  await time.tickAsync(199);
  assertEquals(sent.length, 3);
  await time.tickAsync(201);

  assertEquals(sent.length, 4);
});
