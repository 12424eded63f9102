import { assert, assertEquals, assertLess } from "@std/assert";
import { startChat } from "../../support/chat_server.ts";
import { Events } from "../../support/events.ts";
import { echo } from "../../support/served.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { serve } from "../../../lib/server/server.ts";

const MIB = 2 ** 20;
const MAX_SECONDS = 8;
const TEXT = "x".repeat(4000);

/** A chat with 40 MB of history, and a member who asks for all of it and reads nothing. */
async function startWithDeafMember(sendTimeoutMs = 60_000) {
  const events = new Events();
  const chat = startChat({ onEvent: events.take, sendTimeoutMs });
  using anna = await chat.enter("Anna");
  for (let batch = 0; batch < 10; batch++) {
    chat.append("Anna", Array(1000).fill(TEXT));
  }
  const deaf = await chat.connect();
  const memory = Deno.memoryUsage().rss;
  await deaf.register("Deaf", { since: 0 });
  // The server has sent what the system's buffers take, and waits.
  await anna.say("while the other is deaf");
  return { chat, events, deaf, grownBytes: () => Deno.memoryUsage().rss - memory };
}

async function secondsOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return (performance.now() - startedAt) / 1000;
}

/** Lets `peer` go when `act` takes longer, so that a test fails instead of hanging. */
async function within(
  seconds: number,
  peer: Disposable,
  act: () => Promise<unknown>,
): Promise<void> {
  const timer = setTimeout(() => peer[Symbol.dispose](), seconds * 1000);
  await act();
  clearTimeout(timer);
}

Deno.test("A peer that never reads its replay is kicked within bounded time and memory", async () => {
  const { chat, events, deaf, grownBytes } = await startWithDeafMember();
  await using _chat = chat;
  using _deaf = deaf;
  using bob = await chat.enter("Bob", { history: 0 });
  const memory = grownBytes();

  const ended = chat.server.end("kicked", (conn) => chat.members.nameOf(conn) === "Deaf");
  const left = async () => {
    while (chat.server.connections > 1) await events.next("disconnected");
  };
  const seconds = await secondsOf(() => within(MAX_SECONDS, deaf, left));

  assertEquals(ended, 1);
  assertLess(seconds, MAX_SECONDS);
  assertLess(memory, 128 * MIB);
  await bob.say("undisturbed");
});

Deno.test("A peer that never reads its replay, or the history it asks for, is dropped while nobody talks", async () => {
  const { chat, events, deaf } = await startWithDeafMember(200);
  await using _chat = chat;
  using _deaf = deaf;
  using other = await chat.enter("Other", { history: 0 });
  // More than the buffers of the system take.
  for (let i = 0; i < 20; i++) other.send({ type: "history", limit: 200 });

  const reasons: string[] = [];
  while (reasons.length < 3) reasons.push((await events.next("disconnected")).reason);

  assertEquals(reasons, ["finished", "lost", "lost"]);
});

Deno.test("A peer that never reads its replay does not hold up a shutdown longer than its limit", async () => {
  const { chat, deaf } = await startWithDeafMember();
  using _deaf = deaf;

  const seconds = await secondsOf(() => chat.server.shutdown({ signal: AbortSignal.timeout(500) }));

  assertLess(seconds, 5);
  assertEquals(chat.server.connections, 0);
  chat.database.close();
});

Deno.test("A peer that never reads its echoes costs bounded memory, and is kicked within bounded time", async () => {
  await using server = serve(echo, { port: 0 });
  const deaf = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const before = Deno.memoryUsage().rss;
  const flood = new Uint8Array(MIB);
  let written = 0;
  const writing = (async () => {
    // Frames of no bytes: zeros.
    for (; written < 64; written++) {
      for (let at = 0; at < flood.length;) at += await deaf.write(flood.subarray(at));
    }
  })().catch(() => {/* It is kicked in the middle. */});
  using normal = await FramedConn.connect({ port: server.addr.port });
  for (let i = 0; i < 50; i++) assertEquals(await normal.request(`${i}`), `${i}`);

  server.end("kicked", ({ id }) => id === server.peers()[0]?.id);
  const closing = { [Symbol.dispose]: () => deaf.close() };
  const seconds = await secondsOf(() => within(MAX_SECONDS, closing, () => writing));

  assert(written < 64, "the server read on without an end");
  assertLess(seconds, MAX_SECONDS);
  assertLess(Deno.memoryUsage().rss - before, 128 * MIB);
  assertEquals(await normal.request("after"), "after");
  deaf.close();
});
