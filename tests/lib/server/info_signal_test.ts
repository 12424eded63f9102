import { assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { converse } from "../../support/converse.ts";
import { connectToReset } from "../../support/loopback.ts";
import { connectTo } from "../../support/served.ts";
import { turns } from "../../support/turns.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { connInfoOf } from "../../../lib/server/server_events.ts";
import { Conversation, type Handler } from "../../../lib/server/conversation.ts";
import { ConversationEndedError } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";

/** A handler that receives nothing: it waits for its signal, and keeps the reason. */
function waiting() {
  const begun = Promise.withResolvers<void>();
  const reason = Promise.withResolvers<ConversationEndedError>();
  const handler: Handler = (_, { signal }) => {
    signal.addEventListener("abort", () => reason.resolve(signal.reason));
    begun.resolve();
    return reason.promise;
  };
  return { handler, begun: begun.promise, reason: reason.promise };
}

for (const reason of ["paused", "kicked", "shutdown"] as const) {
  Deno.test(`info.signal aborts a handler that receives nothing when it is ended as \`${reason}\``, async () => {
    const { handler, begun, reason: told } = waiting();
    const { client, peer, conversation, ended } = await converse(handler);
    await begun;

    conversation.end(reason);

    assertInstanceOf(await told, ConversationEndedError);
    assertEquals((await told).reason, reason);
    await Array.fromAsync(peer);
    client.close();
    assertEquals(await ended, { reason });
  });
}

Deno.test("info.signal aborts when the server is closed", async () => {
  const { handler, begun, reason } = waiting();
  const server = serve(handler);
  using _ = await connectTo(server);
  await begun;

  server.close();

  assertEquals((await reason).reason, "shutdown");
  await server.finished;
});

Deno.test("info.signal aborts when the peer closes while the handler receives nothing", async () => {
  const { handler, begun, reason } = waiting();
  const { client, ended } = await converse(handler);
  await begun;

  client.close();

  assertEquals((await reason).reason, "finished");
  assertEquals(await ended, { reason: "finished" });
});

Deno.test("info.signal aborts when the peer has sent messages and closes, and they are still received", async () => {
  const received: (string | null)[] = [];
  const { peer, ended } = await converse(async (conn, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    for await (const text of conn) received.push(text);
  });

  await Promise.all([peer.send("one"), peer.send("two"), peer.flush()]);
  peer.close();

  assertEquals((await ended).reason, "finished");
  assertEquals(received, ["one", "two"]);
});

Deno.test("info.signal aborts when the peer has left and less than 64 KiB wait, whatever waited before", async () => {
  const gate = Promise.withResolvers<void>();
  const reason = Promise.withResolvers<string>();
  const { peer, ended } = await converse(async (conn, { signal }) => {
    signal.addEventListener("abort", () => reason.resolve(signal.reason.reason));
    await gate.promise;
    for (let i = 0; i < 20; i++) await conn.receive();
    await reason.promise;
  });
  // More than is read ahead; less, when 20 of them are received.
  for (let i = 0; i < 80; i++) peer.send("x".repeat(1000));
  await peer.flush();
  peer.close();
  await turns();

  gate.resolve();

  assertEquals(await reason.promise, "finished");
  await ended;
});

Deno.test("info.signal aborts as `lost`, with the cause, when the peer resets the connection", async () => {
  const { handler, reason } = waiting();
  await using server = serve(handler);
  const reset = await connectToReset(server.addr.port);

  reset();

  assertEquals((await reason).reason, "lost");
  assertInstanceOf((await reason).cause, Deno.errors.ConnectionReset);
});

Deno.test("info.signal aborts as `lost` when the peer takes nothing for sendTimeoutMs", async () => {
  const reason = Promise.withResolvers<ConversationEndedError>();
  const { client, ended } = await converse(async (conn, { signal }) => {
    for (let i = 0; i < 8; i++) conn.send("x".repeat(1_000_000)).catch(() => {});
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    reason.resolve(signal.reason);
  }, { sendTimeoutMs: 40 });

  assertInstanceOf((await reason.promise).cause, Deno.errors.TimedOut);
  assertEquals([(await reason.promise).reason, (await ended).reason], ["lost", "lost"]);
  client.close();
});

Deno.test("info.signal aborts at the latest when the handler has returned", async () => {
  let signal: AbortSignal | undefined;
  const { client, ended } = await converse((_, info) => void (signal = info.signal));
  client.close();

  assertEquals((await ended).reason, "ended");
  assertEquals([signal!.aborted, signal!.reason.reason], [true, "ended"]);
});

Deno.test("info.signal has aborted when it is first asked for after the end", async () => {
  const gate = Promise.withResolvers<void>();
  const reasons: string[] = [];
  const { client, conversation, ended } = await converse(async (_, info) => {
    await gate.promise;
    reasons.push(info.signal.reason.reason);
  });
  conversation.end("kicked");

  gate.resolve();
  client.close();
  await ended;

  assertEquals(reasons, ["kicked"]);
});

for (const wrapped of [false, true]) {
  const what = wrapped ? "an error whose cause it is" : "it";
  Deno.test(`The reason of info.signal is no failure of a handler that throws ${what}`, async () => {
    const { client, ended, events } = await converse(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw wrapped ? new Error("aborted", { cause: signal.reason }) : signal.reason;
    });

    client.close();

    assertEquals(await ended, { reason: "finished" });
    assertEquals(events.types(), ["connected"]);
  });
}

Deno.test("info.signal reads ahead no more than 128 KiB of what the handler does not receive", async () => {
  const [client, accepted] = memoryConnPair({ highWaterMarkBytes: 1024 });
  const gate = Promise.withResolvers<void>();
  const received: (string | null)[] = [];
  const conversation = new Conversation(
    accepted as Deno.Conn as Deno.TcpConn,
    connInfoOf(accepted, 1),
    {},
  );
  conversation.run(async (conn, { signal }) => {
    assertEquals(signal.aborted, false);
    await gate.promise;
    received.push(await conn.receive());
  });
  const peer = new FramedConn(client);

  const sending = peer.send("x".repeat(1_000_000));
  await turns(1000);
  assertLess(peer.writtenBytes, 130 * 1024);
  gate.resolve();
  await sending;
  peer.close();
  await conversation.over;

  assertEquals(received[0]!.length, 1_000_000);
});
