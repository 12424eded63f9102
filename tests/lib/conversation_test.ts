import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { concat, frameOf, header, utf8 } from "../bytes.ts";
import { Events, reportedBy } from "../events.ts";
import { connectToReset, tcpPair } from "../loopback.ts";
import { Conversation, type ConversationOptions, type Handler } from "../../lib/conversation.ts";
import { FrameTooLargeError } from "../../lib/frame.ts";
import { FramedConn } from "../../lib/framed_conn.ts";
import { goodbyeText } from "../../lib/goodbye.ts";
import { memoryConnPair } from "../../lib/memory_conn.ts";
import { turns } from "../turns.ts";

const echo: Handler = async (conn) => {
  for await (const text of conn) await conn.send(text);
};

async function converse(handler: Handler, options: ConversationOptions = {}) {
  const events = new Events();
  const [client, accepted] = await tcpPair();
  const conversation = new Conversation(accepted, 1, { onEvent: events.take, ...options });
  const held = conversation.hold(handler);
  return { client, peer: new FramedConn(client), conversation, held, events };
}

async function receiveAll(peer: FramedConn): Promise<string[]> {
  return await Array.fromAsync(peer);
}

Deno.test("Conversation.hold() ends as `finished` when the peer finishes between frames", async () => {
  const { peer, held, events } = await converse(echo);
  using _ = peer;

  await peer.send("last");
  await peer.closeWrite();

  assertEquals(await receiveAll(peer), ["last"]);
  await held;
  assertEquals((await events.next("disconnected")).reason, "finished");
});

Deno.test("Conversation.hold() ends as `ended`, without a goodbye, when the handler returns", async () => {
  const { peer, held, events } = await converse((conn) => conn.send("bye"));

  assertEquals(await receiveAll(peer), ["bye"]);
  peer.close();
  await held;

  assertEquals((await events.next("disconnected")).reason, "ended");
});

Deno.test("Conversation.hold() takes a handler that returns nothing at once", async () => {
  const { peer, held, events } = await converse(() => {});

  assertEquals(await receiveAll(peer), []);
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

  assertEquals(await receiveAll(peer), ["closing"]);
  assertEquals((await events.next("disconnected")).reason, "ended");
});

Deno.test("Conversation.hold() ends as `lost` when the peer resets the connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [reset, accepted] = await Promise.all([
    connectToReset(listener.addr.port),
    listener.accept(),
  ]);
  const events = new Events();
  const held = new Conversation(accepted, 1, { onEvent: events.take }).hold(echo);

  reset();
  await held;

  const { reason, error } = await events.next("disconnected");
  assertEquals(reason, "lost");
  assertInstanceOf(error, Deno.errors.ConnectionReset);
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

  assertEquals(await receiveAll(peer), [
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

  assertEquals(await receiveAll(peer), [
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

  assertEquals(await receiveAll(peer), [
    "Goodbye: Cannot receive a text: the body of 2 bytes is not UTF-8",
  ]);
  peer.close();
  await held;
  assertEquals((await events.next("disconnected")).reason, "protocol");
});

Deno.test("Conversation.hold() ends as `idle` when nothing is heard, and tells the peer", async () => {
  const { peer, held, events } = await converse(echo, { idleTimeoutMs: 4 });

  assertEquals(await receiveAll(peer), [goodbyeText("idle")]);
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

    assertEquals(await receiveAll(peer), [goodbyeText("failed")]);
    peer.close();
    await held;

    const { reason, error } = await events.next("disconnected");
    assertEquals([reason, error !== undefined], ["failed", true]);
  });
}

Deno.test("Conversation.end() lets the handler answer, and the goodbye is the last message", async () => {
  const { peer, conversation, held, events } = await converse(async (conn) => {
    assertEquals(await conn.receive(), null);
    await conn.send("one more");
    // Somebody who goes on sending after the handler has returned.
    setImmediate(() => conn.send("too late").catch(() => {}));
  });

  conversation.end("kicked");
  conversation.end("shutdown");

  assertEquals(await receiveAll(peer), ["one more", goodbyeText("kicked")]);
  peer.close();
  await held;
  assertEquals((await events.next("disconnected")).reason, "kicked");
});

Deno.test("Conversation.end() says goodbye behind what a slow peer has not taken yet", async () => {
  const big = "x".repeat(8_000_000);
  const options = { maxBodyBytes: 10_000_000 };
  const { client, conversation, held } = await converse(async (conn) => {
    await conn.receive();
    // Nobody waits for these.
    conn.send(big);
    setImmediate(() => conn.send("too late").catch(() => {}));
  }, options);
  using peer = new FramedConn(client, options);

  conversation.end("kicked");
  await turns(10);

  assertEquals((await receiveAll(peer)).map((text) => text.length), [
    big.length,
    goodbyeText("kicked").length,
  ]);
  peer.close();
  await held;
});

Deno.test("Conversation.end() delivers the goodbye to a peer that keeps sending", async () => {
  const { client, conversation, held, events } = await converse(async (conn) => {
    await conn.receive();
  });
  const sending = (async () => {
    const bytes = new Uint8Array(64 * 1024);
    for (let i = 0; i < 100; i++) {
      for (let at = 0; at < bytes.length;) at += await client.write(bytes);
    }
  })();
  await events.next("received");

  conversation.end("kicked");
  await events.next("sent");
  await sending;
  // A server that closed by now would have reset the connection, and the goodbye would be gone.
  await turns(10);
  using peer = new FramedConn(client);

  assertEquals(await receiveAll(peer), [goodbyeText("kicked")]);
  peer.close();
  await held;
});

Deno.test("Conversation.end() says goodbye though the handler left a receive pending", async () => {
  const { peer, held } = await converse((conn) => {
    conn.receive();
    throw new Error("and failed");
  });

  assertEquals(await receiveAll(peer), [goodbyeText("failed")]);
  const early = await Promise.race([held.then(() => true), turns(5).then(() => false)]);
  peer.close();
  await held;

  assertEquals(early, false);
});

Deno.test("Conversation.hold() closes a peer that takes the goodbye and stays, after 2 s", async () => {
  using time = new FakeTime();
  const { peer, held, events } = await converse(() => {});
  using _ = peer;

  assertEquals(await receiveAll(peer), []);
  time.tick(1999);
  await turns();
  assertEquals(events.count("disconnected"), 0);
  time.tick(1);
  await held;

  assertEquals((await events.next("disconnected")).reason, "ended");
  assertEquals(time.next(), false);
});

Deno.test("Conversation.abort() closes without a goodbye", async () => {
  const { peer, conversation, held, events } = await converse(echo);
  using _ = peer;

  conversation.end("shutdown");
  conversation.abort();
  await held;

  assertEquals(await receiveAll(peer), []);
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

Deno.test("Conversation.refuse() tells why, and closes", async () => {
  const events = new Events();
  const [client, accepted] = await tcpPair();
  const conversation = new Conversation(accepted, 1, { onEvent: events.take });
  using peer = new FramedConn(client);

  const refused = conversation.refuse("full");

  assertEquals(await receiveAll(peer), [goodbyeText("full")]);
  peer.close();
  await refused;
  assertEquals(events.all[0], { type: "refused", peer: conversation.info.peer, reason: "full" });
});

Deno.test("Conversation says goodbye in the words of `goodbye`", async () => {
  const goodbye = (reason: string, detail?: string) =>
    JSON.stringify({ type: "bye", reason, detail });
  const { client, peer, held } = await converse(echo, { goodbye });

  await client.write(frameOf(0xff));

  assertEquals(await receiveAll(peer), [
    '{"type":"bye","reason":"protocol","detail":"Cannot receive a text: the body of 1 bytes is not UTF-8"}',
  ]);
  peer.close();
  await held;
});

Deno.test("Conversation says nothing when `goodbye` gives undefined", async () => {
  const { peer, conversation, held } = await converse(echo, { goodbye: () => undefined });

  conversation.end("shutdown");

  assertEquals(await receiveAll(peer), []);
  peer.close();
  await held;
});

Deno.test("Conversation closes properly when the goodbye is longer than a body may be", async () => {
  const { peer, conversation, held } = await converse(echo, { maxBodyBytes: 3 });

  conversation.end("shutdown");

  assertEquals(await receiveAll(peer), []);
  peer.close();
  await held;
});

Deno.test("Conversation reports what `goodbye` throws, and closes", async () => {
  const mistake = new Error("in goodbye");
  const goodbye = () => {
    throw mistake;
  };
  const { peer, conversation, held } = await converse(echo, { goodbye });

  const reported = await reportedBy(() => conversation.end("kicked"));

  assertStrictEquals(reported, mistake);
  assertEquals(await receiveAll(peer), []);
  peer.close();
  await held;
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
