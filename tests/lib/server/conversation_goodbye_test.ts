import { assertEquals } from "@std/assert";
import { frameOf } from "../../support/bytes.ts";
import { converse } from "../../support/converse.ts";
import { echo } from "../../support/served.ts";
import { turns } from "../../support/turns.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";

/** Sends 6 MiB of empty messages. */
async function sendMuch(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(64 * 1024);
  for (let i = 0; i < 100; i++) {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes);
  }
}

Deno.test("Conversation.end() lets the handler answer, and the goodbye is the last message", async () => {
  const { peer, conversation, ended } = await converse(async (conn) => {
    assertEquals(await conn.receive(), null);
    await conn.send("one more");
    // Somebody who goes on sending after the handler has returned.
    setImmediate(() => conn.send("too late").catch(() => {}));
  });

  conversation.end("kicked");
  conversation.end("shutdown");

  assertEquals(await Array.fromAsync(peer), ["one more", goodbyeText("kicked")]);
  peer.close();
  assertEquals((await ended).reason, "kicked");
});

Deno.test("Conversation.end() says goodbye behind what a slow peer has not taken yet", async () => {
  const big = "x".repeat(8_000_000);
  const options = { maxBodyBytes: 10_000_000 };
  const { client, conversation, ended } = await converse(async (conn) => {
    await conn.receive();
    // Nobody waits for these.
    conn.send(big);
    setImmediate(() => conn.send("too late").catch(() => {}));
  }, options);
  using peer = new FramedConn(client, options);

  conversation.end("kicked");
  await turns(10);

  assertEquals((await Array.fromAsync(peer)).map((text) => text.length), [
    big.length,
    goodbyeText("kicked").length,
  ]);
  peer.close();
  await ended;
});

Deno.test("Conversation.end() delivers the goodbye to a peer that keeps sending", async () => {
  const { client, conversation, ended, events } = await converse(async (conn) => {
    await conn.receive();
  });
  const sending = sendMuch(client);
  await events.next("received");

  conversation.end("kicked");
  await events.next("sent");
  await sending;
  // A server that closed by now would have reset the connection, and the goodbye would be gone.
  await turns(10);
  using peer = new FramedConn(client);

  assertEquals(await Array.fromAsync(peer), [goodbyeText("kicked")]);
  peer.close();
  await ended;
});

Deno.test("Conversation delivers the last words of a handler that has finished sending to a peer that keeps sending", async () => {
  const { client, ended, events } = await converse(async (conn) => {
    await conn.receive();
    await conn.send("last words");
    await conn.closeWrite();
  });
  const sending = sendMuch(client);
  await events.next("sent");
  await sending;
  await turns(10);
  using peer = new FramedConn(client);

  assertEquals(await Array.fromAsync(peer), ["last words"]);
  peer.close();
  await ended;
});

Deno.test("Conversation.end() says goodbye though the handler left a receive pending", async () => {
  const { peer, ended } = await converse((conn) => {
    conn.receive();
    throw new Error("and failed");
  });

  assertEquals(await Array.fromAsync(peer), [goodbyeText("failed")]);
  const early = await Promise.race([ended.then(() => true), turns(5).then(() => false)]);
  peer.close();
  await ended;

  assertEquals(early, false);
});

Deno.test("Conversation says goodbye in the words of `goodbye`", async () => {
  const goodbye = (reason: string, detail?: string) =>
    JSON.stringify({ type: "bye", reason, detail });
  const { client, peer, ended } = await converse(echo, { goodbye });

  await client.write(frameOf(0xff));

  assertEquals(await Array.fromAsync(peer), [
    '{"type":"bye","reason":"protocol","detail":"Cannot receive a text: the body of 1 bytes is not UTF-8"}',
  ]);
  peer.close();
  await ended;
});

for (const options of [{ goodbye: () => undefined }, { maxBodyBytes: 3 }]) {
  Deno.test(`Conversation closes properly, without a goodbye, with ${Deno.inspect(options)}`, async () => {
    const { peer, conversation, ended } = await converse(echo, options);

    conversation.end("shutdown");

    assertEquals(await Array.fromAsync(peer), []);
    peer.close();
    await ended;
  });
}
