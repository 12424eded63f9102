import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type OwnMessage, Unsaid } from "../../../client/chat/unsaid.ts";
import { MAX_RETRY_AFTER_MS } from "../../../lib/conn/reconnect.ts";

/** A queue with messages of these refs, and the refs that it has sent. */
function queueOf(...refs: string[]) {
  const sent: string[] = [];
  const unsaid = new Unsaid((message: OwnMessage) => sent.push(message.ref));
  unsaid.open();
  for (const ref of refs) unsaid.add({ type: "say", ref, text: "x" });
  return { unsaid, sent };
}

Deno.test("Unsaid.said() takes out the message on its way, and no other", () => {
  const { unsaid, sent } = queueOf("a", "b");

  assertEquals([unsaid.said("b"), unsaid.said("c"), unsaid.count], [undefined, undefined, 2]);
  assertEquals(unsaid.said("a")?.ref, "a");
  assertEquals(sent, ["a", "b"]);
});

Deno.test("Unsaid.said() begins the waits anew for the next message", async () => {
  using time = new FakeTime();
  const { unsaid, sent } = queueOf("a", "b");
  for (let i = 0; i < 3; i++) {
    unsaid.refused("a", "unavailable");
    await time.tickAsync(2000);
  }

  unsaid.said("a");
  unsaid.refused("b", "unavailable");
  await time.tickAsync(500);

  assertEquals(sent, ["a", "a", "a", "a", "b", "b"]);
});

Deno.test("Unsaid.close() sends nothing until the next open, neither late nor new", async () => {
  using time = new FakeTime();
  const { unsaid, sent } = queueOf("a");
  unsaid.refused("a", "too_fast", 1000);
  unsaid.close();

  await time.tickAsync(1000);
  assertEquals(unsaid.refused("a", "too_long")?.ref, "a");
  unsaid.add({ type: "say", ref: "b", text: "x" });

  assertEquals(sent, ["a"]);
  unsaid.open();
  assertEquals(sent, ["a", "b"]);
});

Deno.test("Unsaid.refused() sends once more, however often it is refused meanwhile", async () => {
  using time = new FakeTime();
  const { unsaid, sent } = queueOf("a");

  for (let i = 0; i < 3; i++) unsaid.refused("a", "too_fast", 1000);
  await time.tickAsync(1000);

  assertEquals(sent, ["a", "a"]);
});

Deno.test("Unsaid.refused() waits five minutes at most, whatever the server asks for", async () => {
  using time = new FakeTime();
  const { unsaid, sent } = queueOf("a");

  unsaid.refused("a", "too_fast", Number.MAX_SAFE_INTEGER);
  await time.tickAsync(MAX_RETRY_AFTER_MS - 1);
  assertEquals(sent, ["a"]);
  await time.tickAsync(1);

  assertEquals(sent, ["a", "a"]);
});

Deno.test("Unsaid.refused() waits longer each time when the server does not say how long", async () => {
  using time = new FakeTime();
  const { unsaid, sent } = queueOf("a");
  for (const ms of [500, 1000]) {
    unsaid.refused("a", "unavailable");
    await time.tickAsync(ms);
  }

  unsaid.refused("a", "unavailable");
  await time.tickAsync(999);
  assertEquals(sent.length, 3);
  await time.tickAsync(1001);

  assertEquals(sent.length, 4);
});
