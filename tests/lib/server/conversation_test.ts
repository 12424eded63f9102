import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { concat, frameOf, header, utf8 } from "../../support/bytes.ts";
import { converse } from "../../support/converse.ts";
import { Events } from "../../support/events.ts";
import { connectToReset } from "../../support/loopback.ts";
import { echo } from "../../support/served.ts";
import { isPending, turns } from "../../support/turns.ts";
import { Conversation, type Handler } from "../../../lib/server/conversation.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

Deno.test("Conversation.hold() ends as `finished` when the peer finishes between frames", async () => {
  const { peer, held, events } = await converse(echo);
  using _ = peer;

  await peer.send("last");
  await peer.closeWrite();

  assertEquals(await Array.fromAsync(peer), ["last"]);
  await held;
  assertEquals((await events.next("disconnected")).reason, "finished");
});

/** A peer that has finished, and has not taken the last words of the handler, which has returned. */
async function partFromSlowPeer() {
  const [client, accepted] = memoryConnPair({ highWaterMarkBytes: 10 });
  const peer = new FramedConn(client);
  const conversation = new Conversation(accepted as Deno.TcpConn, 1, {});
  const held = conversation.hold(async (conn) => {
    assertEquals(await conn.receive(), null);
    conn.send("last words");
  });
  await peer.closeWrite();
  await turns();
  return { peer, conversation, held };
}

Deno.test("Conversation.hold() leaves a peer that has finished 5 s to take what was sent last", async () => {
  using time = new FakeTime();
  const { peer, held } = await partFromSlowPeer();

  time.tick(4999);
  assert(await isPending(held));

  assertEquals(await Array.fromAsync(peer), ["last words"]);
  await held;
  peer.close();
});

Deno.test("Conversation.hold() settles when nobody has taken what was sent last for 5 s", async () => {
  using time = new FakeTime();
  const { peer, held } = await partFromSlowPeer();

  time.tick(5000);

  await held;
  await assertRejects(() => peer.receive());
  peer.close();
});

Deno.test("Conversation.end() leaves who is kicked 2 s to take what was sent last", async () => {
  using time = new FakeTime();
  const { peer, conversation, held } = await partFromSlowPeer();

  conversation.end("kicked");
  time.tick(1999);
  assert(await isPending(held));
  time.tick(1);

  await held;
  peer.close();
});

Deno.test("Conversation.abort() ends the wait for a peer to take what was sent last", async () => {
  const { peer, conversation, held } = await partFromSlowPeer();
  assert(await isPending(held));

  conversation.abort();

  await held;
  peer.close();
});

Deno.test("Conversation.hold() ends as `ended`, without a goodbye, when the handler returns", async () => {
  const { peer, held, events } = await converse((conn) => conn.send("bye"));

  assertEquals(await Array.fromAsync(peer), ["bye"]);
  peer.close();
  await held;

  assertEquals((await events.next("disconnected")).reason, "ended");
});

Deno.test("Conversation.hold() takes a handler that returns nothing at once", async () => {
  const { peer, held, events } = await converse(() => {});

  assertEquals(await Array.fromAsync(peer), []);
  peer.close();
  await held;

  assertEquals((await events.next("disconnected")).reason, "ended");
});

Deno.test("Conversation.hold() ends as `ended` when the handler closes the connection", async () => {
  const { peer, held, events } = await converse(async (conn) => {
    await conn.send("closing");
    conn.close();
  });
  using _ = peer;

  await held;

  assertEquals(await Array.fromAsync(peer), ["closing"]);
  assertEquals((await events.next("disconnected")).reason, "ended");
});

/** What is told at the end of a conversation whose peer resets the connection. */
async function endOfReset(handler: Handler) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [reset, accepted] = await Promise.all([
    connectToReset(listener.addr.port),
    listener.accept(),
  ]);
  const events = new Events();
  const held = new Conversation(accepted, 1, { onEvent: events.take }).hold(handler);
  reset();
  await held;
  return await events.next("disconnected");
}

Deno.test("Conversation.hold() ends as `lost` when the peer resets the connection", async () => {
  const { reason, error } = await endOfReset(echo);

  assertEquals(reason, "lost");
  assertInstanceOf(error, Deno.errors.ConnectionReset);
});

Deno.test("Conversation.hold() ends as `lost` also when the handler has caught what told it", async () => {
  const { reason, error } = await endOfReset(async (...args) => {
    try {
      await echo(...args);
    } catch {
      // Its own business.
    }
  });

  assertEquals([reason, error], ["lost", undefined]);
});

Deno.test("Conversation.hold() ends as `lost` when the handler cannot send any more", async () => {
  const { client, held, events } = await converse(async (conn) => {
    for (;;) {
      await conn.send("to nobody");
      await conn.flush();
    }
  });

  client.close();
  await held;

  assertEquals((await events.next("disconnected")).reason, "lost");
});

Deno.test("Conversation.hold() ends as `torn` inside a frame, and tells the peer", async () => {
  const { client, peer, held, events } = await converse(echo);

  await client.write(concat(header(9), utf8("half")));
  await client.closeWrite();

  assertEquals(await Array.fromAsync(peer), [
    "Goodbye: Cannot receive a message: the stream ended 8 bytes into a frame",
  ]);
  peer.close();
  await held;
  const { reason, error } = await events.next("disconnected");
  assertEquals(reason, "torn");
  assertInstanceOf(error, Deno.errors.UnexpectedEof);
});

Deno.test("Conversation.hold() ends as `protocol` at an oversized length, and tells the limit", async () => {
  const { client, peer, held, events } = await converse(echo, { maxBodyBytes: 100 });

  await client.write(header(0xffff_ffff));

  assertEquals(await Array.fromAsync(peer), [
    "Goodbye: Cannot receive a body of 4294967295 bytes: the limit is 100",
  ]);
  peer.close();
  await held;
  const { reason, error } = await events.next("disconnected");
  assertEquals(reason, "protocol");
  assertInstanceOf(error, FrameTooLargeError);
});

Deno.test("Conversation.hold() ends as `protocol` at a text that is not UTF-8", async () => {
  const { client, peer, held, events } = await converse(echo);

  await client.write(frameOf(0xff, 0xfe));

  assertEquals(await Array.fromAsync(peer), [
    "Goodbye: Cannot receive a text: the body of 2 bytes is not UTF-8",
  ]);
  peer.close();
  await held;
  assertEquals((await events.next("disconnected")).reason, "protocol");
});

Deno.test("Conversation.hold() ends as `idle` when nothing is heard, and tells the peer", async () => {
  const { peer, held, events } = await converse(echo, { idleTimeoutMs: 4 });

  assertEquals(await Array.fromAsync(peer), [goodbyeText("idle")]);
  peer.close();
  await held;

  assertEquals((await events.next("disconnected")).reason, "idle");
});

const failures: [string, Handler][] = [
  ["throws", () => {
    throw new Error("at once");
  }],
  ["rejects", () => Promise.reject(new Error("later"))],
  ["throws a value that is no error", () => Promise.reject("text")],
  ["sends too large a text", (conn) => conn.send("x".repeat(101))],
  ["gives up waiting for the peer", async (conn) => {
    const patience = new AbortController();
    const received = conn.receive({ signal: patience.signal });
    patience.abort();
    await received;
  }],
  ["cannot read a file of its own", () => {
    throw new Deno.errors.InvalidData("Cannot read /secret/path");
  }],
  ["waits too long for somebody else", () => {
    throw new Deno.errors.TimedOut("somebody else is slow");
  }],
  ["loses another connection", () => {
    throw new Deno.errors.ConnectionReset("another one");
  }],
];
for (const [what, handler] of failures) {
  Deno.test(`Conversation.hold() ends as \`failed\` when the handler ${what}`, async () => {
    const { peer, held, events } = await converse(handler, { maxBodyBytes: 100 });

    assertEquals(await Array.fromAsync(peer), [goodbyeText("failed")]);
    peer.close();
    await held;

    const { reason, error } = await events.next("disconnected");
    assertEquals([reason, error !== undefined], ["failed", true]);
  });
}

Deno.test("Conversation.hold() closes a peer that takes the goodbye and stays, after 2 s", async () => {
  using time = new FakeTime();
  const { peer, held, events } = await converse(() => {});
  using _ = peer;

  assertEquals(await Array.fromAsync(peer), []);
  time.tick(1999);
  await turns();
  assertEquals(events.count("disconnected"), 0);
  time.tick(1);
  await held;

  assertEquals((await events.next("disconnected")).reason, "ended");
  assertEquals(time.next(), false);
});

Deno.test("Conversation.end() leaves no timer behind, whenever and however often somebody is kicked", async () => {
  using time = new FakeTime();
  for (const handler of [echo, () => {}]) {
    const { peer, conversation, held, events } = await converse(handler);
    if (handler !== echo) assertEquals(await Array.fromAsync(peer), []);

    conversation.end("kicked");
    conversation.end("kicked");
    await Array.fromAsync(peer);
    peer.close();
    await held;

    assertEquals("error" in await events.next("disconnected"), false);
    assertEquals(time.next(), false);
  }
});

Deno.test("Conversation.abort() closes without a goodbye", async () => {
  const { peer, conversation, held, events } = await converse(echo);
  using _ = peer;

  conversation.end("shutdown");
  conversation.abort();
  await held;

  assertEquals(await Array.fromAsync(peer), []);
  assertEquals((await events.next("disconnected")).reason, "shutdown");
});

Deno.test("Conversation.abort() waits 1 s for a handler, then leaves it to itself", async () => {
  using time = new FakeTime();
  const stuck = Promise.withResolvers<void>();
  const { peer, conversation, held, events } = await converse(() => stuck.promise);
  using _ = peer;
  await turns();

  conversation.abort();
  conversation.abort();
  time.tick(999);
  await turns();
  assertEquals(events.count("disconnected"), 0);
  time.tick(1);
  await held;

  assertEquals(events.count("disconnected"), 1);
  stuck.reject(new Error("nobody hears this"));
});

Deno.test("Conversation.abort() lets a handler that notices clean up first", async () => {
  const told: string[] = [];
  const { peer, conversation, held } = await converse(async (conn) => {
    await conn.receive();
    await turns();
    told.push("cleaned up");
  }, { onEvent: ({ type }) => told.push(type) });
  using _ = peer;

  conversation.abort();
  await held;

  assertEquals(told, ["connected", "cleaned up", "disconnected"]);
});

Deno.test("Conversation tells what crosses in sizes, never in words", async () => {
  const { peer, held, events } = await converse(echo);

  await peer.request("słowo");
  peer.close();
  await held;

  assertEquals(events.types(), ["connected", "received", "sent", "disconnected"]);
  assertEquals([(await events.next("received")).bytes, (await events.next("sent")).bytes], [6, 6]);
  assertEquals(JSON.stringify(events.all).includes("owo"), false);
});

const addresses = [
  { clientHostname: "10.0.0.7", peer: "10.0.0.7:50000", address: "10.0.0.7" },
  { clientHostname: "::1", peer: "[::1]:50000", address: "::1" },
  { clientHostname: "::ffff:10.0.0.7", peer: "10.0.0.7:50000", address: "10.0.0.7" },
];
for (const { clientHostname, peer, address } of addresses) {
  Deno.test(`Conversation.info shows a peer at ${clientHostname} as ${peer}`, () => {
    const [_, accepted] = memoryConnPair({ clientHostname });

    const { info } = new Conversation(accepted as Deno.TcpConn, 7, {});

    assertEquals([info.id, info.peer, info.address], [7, peer, address]);
  });
}
