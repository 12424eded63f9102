import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { concat, frameOf, header, utf8 } from "../../support/bytes.ts";
import { converse, startConversation } from "../../support/converse.ts";
import { connectToReset } from "../../support/loopback.ts";
import { ODD_VALUES } from "../base/odd_values.ts";
import { echo } from "../../support/served.ts";
import { isPending, passTime, turns } from "../../support/turns.ts";
import { json } from "../../../lib/codec/json.ts";
import { TypedConn } from "../../../lib/codec/typed_conn.ts";
import { Conversation, type Handler } from "../../../lib/server/conversation.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { connInfoOf } from "../../../lib/server/server_events.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

Deno.test("Conversation.run() ends as `finished` when the peer finishes between frames", async () => {
  const { peer, ended } = await converse(echo);
  using _ = peer;

  await peer.send("last");
  await peer.closeWrite();

  assertEquals(await Array.fromAsync(peer), ["last"]);
  assertEquals((await ended).reason, "finished");
});

/** A peer that has not taken the last words of the handler, which has returned, and that may have finished itself. */
async function partFromSlowPeer({ sendTimeoutMs = 30_000, hasFinished = true } = {}) {
  const [client, accepted] = memoryConnPair({ highWaterMarkBytes: 10 });
  const peer = new FramedConn(client);
  const { conversation, ended } = startConversation(accepted, async (conn) => {
    if (hasFinished) assertEquals(await conn.receive(), null);
    conn.send("last words");
  }, { sendTimeoutMs });
  if (hasFinished) await peer.closeWrite();
  await turns();
  return { peer, conversation, ended };
}

for (const hasFinished of [true, false]) {
  const who = `a peer that has ${hasFinished ? "" : "not "}finished`;
  const reason = hasFinished ? "finished" : "ended";

  Deno.test(`Conversation.run() waits for ${who} to take what was sent last`, async () => {
    using time = new FakeTime();
    const { peer, ended } = await partFromSlowPeer({ hasFinished });

    await passTime(time, 10_000, 10_000, 9000);
    assert(await isPending(ended));

    assertEquals(await Array.fromAsync(peer), ["last words"]);
    peer.close();
    assertEquals((await ended).reason, reason);
  });

  Deno.test(`Conversation.run() ends as \`lost\` when ${who} takes nothing for sendTimeoutMs`, async () => {
    const { peer, ended } = await partFromSlowPeer({ sendTimeoutMs: 40, hasFinished });

    const { reason, error } = await ended;

    assertEquals(reason, "lost");
    assertInstanceOf(error, Deno.errors.TimedOut);
    await assertRejects(() => peer.receive());
    peer.close();
  });
}

Deno.test("Conversation.run() ends as `lost` when what was sent last is dropped", async () => {
  const { peer, conversation, ended } = await partFromSlowPeer();

  conversation.abort();

  assertEquals((await ended).reason, "lost");
  await assertRejects(() => peer.receive());
  peer.close();
});

Deno.test("Conversation.end() leaves who is kicked 2 s to take what was sent last", async () => {
  using time = new FakeTime();
  const { peer, conversation, ended } = await partFromSlowPeer();

  conversation.end("kicked");
  time.tick(1999);
  assert(await isPending(ended));
  time.tick(1);

  await ended;
  peer.close();
});

Deno.test("Conversation.run() ends as `ended`, without a goodbye, when the handler returns", async () => {
  for (const words of [["bye"], []]) {
    const { peer, ended } = await converse((conn) => words.forEach((text) => conn.send(text)));

    assertEquals(await Array.fromAsync(peer), words);
    peer.close();
    assertEquals((await ended).reason, "ended");
  }
});

Deno.test("Conversation.run() ends as `ended` when the handler closes the connection", async () => {
  const { peer, ended } = await converse(async (conn) => {
    await conn.send("closing");
    conn.close();
  });
  using _ = peer;

  assertEquals((await ended).reason, "ended");
  assertEquals(await Array.fromAsync(peer), ["closing"]);
});

/** What is told at the end of a conversation whose peer resets the connection. */
async function endOfReset(handler: Handler) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [reset, accepted] = await Promise.all([
    connectToReset(listener.addr.port),
    listener.accept(),
  ]);
  const { ended } = startConversation(accepted, handler);
  reset();
  return await ended;
}

Deno.test("Conversation.run() ends as `lost` when the peer resets the connection", async () => {
  const { reason, error } = await endOfReset(echo);

  assertEquals(reason, "lost");
  assertInstanceOf(error, Deno.errors.ConnectionReset);
});

Deno.test("Conversation.run() ends as `lost` also when the handler has caught what told it", async () => {
  const { reason, error } = await endOfReset(async (...args) => {
    try {
      await echo(...args);
    } catch {
      // Its own business.
    }
  });

  assertEquals([reason, error], ["lost", undefined]);
});

Deno.test("Conversation.run() ends as `lost` when the handler cannot send any more", async () => {
  const { client, ended } = await converse(async (conn) => {
    for (;;) {
      await conn.send("to nobody");
      await conn.flush();
    }
  });

  client.close();
  assertEquals((await ended).reason, "lost");
});

const BROKEN: [
  reason: string,
  kind: new (...args: never[]) => Error,
  bytes: Uint8Array,
  told: string,
][] = [
  [
    "truncated",
    Deno.errors.UnexpectedEof,
    concat(header(9), utf8("half")),
    "Cannot receive a message: the stream ended 8 bytes into a frame",
  ],
  [
    "protocol",
    FrameTooLargeError,
    header(0xffff_ffff),
    "Cannot receive a body of 4294967295 bytes: the limit is 100",
  ],
  [
    "protocol",
    Deno.errors.InvalidData,
    frameOf(0xff, 0xfe),
    "Cannot receive a text: the body of 2 bytes is not UTF-8",
  ],
];

for (const [expected, kind, bytes, told] of BROKEN) {
  Deno.test(`Conversation.run() ends as \`${expected}\` and tells the peer: ${told}`, async () => {
    const { client, peer, ended } = await converse(echo, { maxBodyBytes: 100 });

    await client.write(bytes);
    await client.closeWrite();

    assertEquals(await Array.fromAsync(peer), [`Goodbye: ${told}`]);
    peer.close();
    const { reason, error } = await ended;
    assertEquals(reason, expected);
    assertInstanceOf(error, kind);
  });
}

Deno.test("Conversation.run() ends as `protocol` at a message that the handler's codec refuses", async () => {
  const { peer, ended } = await converse(async (conn) => {
    await Array.fromAsync(new TypedConn(conn, json(String)));
  });
  using _ = peer;

  await peer.send("no JSON");
  await peer.closeWrite();

  assertEquals((await ended).reason, "protocol");
});

Deno.test("Conversation.run() ends as `failed` at a message of another connection", async () => {
  const [backend, far] = memoryConnPair();
  using other = new FramedConn(far);
  other.send("no JSON");
  const { peer, ended } = await converse(async () => {
    using typed = new TypedConn(new FramedConn(backend), json(String));
    await typed.receive();
  }, { onEvent: () => {} });
  using _ = peer;

  await peer.closeWrite();

  assertEquals((await ended).reason, "failed");
});

Deno.test("Conversation.run() ends as `idle` when nothing is heard, and tells the peer", async () => {
  const { peer, ended } = await converse(echo, { idleTimeoutMs: 4 });

  assertEquals(await Array.fromAsync(peer), [goodbyeText("idle")]);
  peer.close();
  assertEquals((await ended).reason, "idle");
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
  Deno.test(`Conversation.run() ends as \`failed\` when the handler ${what}`, async () => {
    const { peer, ended } = await converse(handler, { maxBodyBytes: 100 });

    assertEquals(await Array.fromAsync(peer), [goodbyeText("failed")]);
    peer.close();
    const { reason, error } = await ended;
    assertEquals([reason, error !== undefined], ["failed", true]);
  });
}

Deno.test("Conversation.run() ends as `failed` whatever the handler throws, and prints it", async () => {
  const printed: string[] = [];
  using _ = stub(console, "error", (text: string) => void printed.push(text));
  for (const thrown of Object.values(ODD_VALUES)) {
    const { peer, ended } = await converse(() => Promise.reject(thrown), { onEvent: undefined! });

    peer.close();

    assertEquals((await ended).reason, "failed");
  }
  assertEquals(printed.length, Object.keys(ODD_VALUES).length);
});

Deno.test("Conversation.run() closes a peer that takes the goodbye and stays, after 2 s", async () => {
  using time = new FakeTime();
  const { peer, ended } = await converse(() => {});
  using _ = peer;

  assertEquals(await Array.fromAsync(peer), []);
  time.tick(1999);
  assert(await isPending(ended));
  time.tick(1);
  assertEquals((await ended).reason, "ended");
  assertEquals(time.next(), false);
});

Deno.test("Conversation.end() leaves no timer behind, whenever and however often somebody is kicked", async () => {
  using time = new FakeTime();
  for (const handler of [echo, () => {}]) {
    const { peer, conversation, ended } = await converse(handler);
    if (handler !== echo) assertEquals(await Array.fromAsync(peer), []);

    conversation.end("kicked");
    conversation.end("kicked");
    await Array.fromAsync(peer);
    peer.close();

    assertEquals("error" in await ended, false);
    assertEquals(time.next(), false);
  }
});

Deno.test("Conversation.abort() closes without a goodbye", async () => {
  const { peer, conversation, ended } = await converse(echo);
  using _ = peer;

  conversation.end("shutdown");
  conversation.abort();

  assertEquals((await ended).reason, "shutdown");
  assertEquals(await Array.fromAsync(peer), []);
});

Deno.test("Conversation.abort() waits 1 s for a handler, then leaves it to itself", async () => {
  using time = new FakeTime();
  const stuck = Promise.withResolvers<void>();
  const { peer, conversation, ended } = await converse(() => stuck.promise);
  using _ = peer;
  await turns();

  conversation.abort();
  conversation.abort();
  time.tick(999);
  assert(await isPending(ended));
  time.tick(1);

  await ended;
  stuck.reject(new Error("nobody hears this"));
});

Deno.test("Conversation.abort() lets a handler that notices clean up first", async () => {
  const told: string[] = [];
  const { peer, conversation, ended } = await converse(async (conn) => {
    await conn.receive();
    await turns();
    told.push("cleaned up");
  });
  using _ = peer;

  conversation.abort();
  await ended;

  assertEquals(told, ["cleaned up"]);
});

Deno.test("Conversation tells what crosses in sizes, never in words", async () => {
  const { peer, ended, events } = await converse(echo);

  await peer.request("słowo");
  peer.close();
  await ended;

  assertEquals(events.types(), ["connected", "received", "sent"]);
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

    const { info } = new Conversation(
      accepted as Deno.Conn as Deno.TcpConn,
      connInfoOf(accepted, 7),
      {},
    );

    assertEquals([info.id, info.peer, info.address], [7, peer, address]);
  });
}
