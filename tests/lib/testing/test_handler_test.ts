import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import type { Handler } from "../../../lib/server/conversation.ts";
import type { ServerEvent } from "../../../lib/server/server_events.ts";
import { testHandler } from "../../../lib/testing/test_handler.ts";
import { echo } from "../../support/served.ts";
import { isPending, passTime, turns } from "../../support/turns.ts";

Deno.test("testHandler() runs a handler, tells it the peer, and reports what serve reports", async () => {
  const events: ServerEvent["type"][] = [];
  const peers: string[] = [];
  const handler: Handler = async (conn, info) => {
    peers.push(info.address);
    await echo(conn, info);
  };
  await using test = testHandler(handler, {
    onEvent: ({ type }) => events.push(type),
    network: { clientHostname: "192.0.2.7" },
  });

  assertEquals(await test.conn.request("hello"), "hello");
  await test.conn.closeWrite();

  assertEquals(await test.ended, { reason: "finished" });
  assertEquals(peers, ["192.0.2.7"]);
  assertEquals(events, ["connected", "received", "sent", "disconnected"]);
});

Deno.test("testHandler() gives what the handler throws", async () => {
  const broken = new Error("broken");
  await using test = testHandler(() => Promise.reject(broken), { onEvent: () => {} });

  assertEquals(await test.ended, { reason: "failed", error: broken });
});

Deno.test("testHandler() ends a conversation as a server does, with its last words", async () => {
  await using test = testHandler(async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("last words");
  }, { goodbye: (reason) => `bye ${reason}` });

  test.end("paused");

  assertEquals(await Array.fromAsync(test.conn), ["last words", "bye paused"]);
  test.conn.close();
  assertEquals((await test.ended).reason, "paused");
});

Deno.test("testHandler() applies the limits of serve", async () => {
  using time = new FakeTime();
  await using idle = testHandler(echo, { idleTimeoutMs: 1000 });
  await using deaf = testHandler((conn) => conn.send("x".repeat(100_000)), {
    sendTimeoutMs: 1000,
    network: { highWaterMarkBytes: 10 },
  });
  await using long = testHandler(echo, { maxBodyBytes: 10 });

  await long.conn.send("x".repeat(11));
  await passTime(time, ...Array(8).fill(600));

  assertEquals((await idle.ended).reason, "idle");
  assertEquals((await deaf.ended).reason, "lost");
  assertEquals((await long.ended).reason, "protocol");
});

Deno.test("testHandler() delays each direction for its time, and messages do not add up", async () => {
  using time = new FakeTime();
  await using test = testHandler(echo, {
    network: { up: { delayMs: 1000 }, down: { delayMs: 500 } },
  });
  test.conn.send("a");
  await test.conn.flush();
  test.conn.send("b");
  const [first, second] = [test.conn.receive(), turns().then(() => {})];
  await second;

  await passTime(time, 1000, 499);
  assert(await isPending(first));
  await passTime(time, 1);

  assertEquals(await first, "a");
  assertEquals(await test.conn.receive(), "b");
});

Deno.test("testHandler() limits the rate in fake time", async () => {
  using time = new FakeTime();
  await using test = testHandler(echo, { network: { down: { bytesPerSecond: 100 } } });
  const answer = test.conn.request("x".repeat(196));

  await passTime(time, ...Array(19).fill(100));
  assert(await isPending(answer));
  await passTime(time, 100);

  assertEquals((await answer)?.length, 196);
});

Deno.test("testHandler() cuts a connection where it is told to, and both ends notice", async () => {
  await using test = testHandler(echo, { network: { up: { cutInBody: 2 } } });

  assertEquals(await test.conn.request("whole"), "whole");
  await test.conn.send("cut");

  assertEquals(await test.conn.receive(), null);
  assertEquals((await test.ended).reason, "truncated");
});

Deno.test("testHandler() resets a connection", async () => {
  await using test = testHandler(echo, { network: { up: { cutAfterBytes: 5, cutBy: "reset" } } });

  await test.conn.send("hello");

  await assertRejects(() => test.conn.receive(), Deno.errors.ConnectionReset);
  const { reason, error } = await test.ended;
  assertEquals(reason, "lost");
  assertInstanceOf(error, Deno.errors.ConnectionReset);
});

Deno.test("testHandler() half-closes one direction only", async () => {
  await using test = testHandler(echo, {
    network: { up: { cutAfterBytes: 5, cutBy: "half-close" } },
  });

  await test.conn.send("a");
  await test.conn.send("never there");

  assertEquals(await Array.fromAsync(test.conn), ["a"]);
  assertEquals((await test.ended).reason, "finished");
});

Deno.test("testHandler() runs a handler over a transport that fails by a script", async () => {
  const failure = new Deno.errors.ConnectionReset("reset");
  const transport = new ScriptedConn({ reads: [encodeFrame("a"), failure] });
  await using test = testHandler(echo, { transport });

  const { reason, error } = await test.ended;

  assertEquals([reason, error], ["lost", failure]);
  assertEquals(transport.written, encodeFrame("a"));
  assertEquals(await test.conn.receive(), null);
});

Deno.test("testHandler() ends a handler that waits when it is disposed of", async () => {
  using _time = new FakeTime();
  const left: string[] = [];
  {
    await using _test = testHandler(async (conn) => {
      await conn.receive();
      left.push("over memory");
    });
    await using _scripted = testHandler(async (conn) => {
      await conn.receive();
      left.push("by a script");
    }, { transport: new ScriptedConn() });
  }

  assertEquals(left, ["by a script", "over memory"]);
});

Deno.test("testHandler() closes the connection of a handler that does not notice its end", async () => {
  using time = new FakeTime();
  const test = testHandler(() => new Promise<void>(() => {}));

  const disposed = test[Symbol.asyncDispose]();
  await passTime(time, 4999);
  assert(await isPending(disposed));
  await passTime(time, 1);

  await disposed;
});

Deno.test("testHandler() refuses limits and faults that are none", () => {
  assertThrows(() => testHandler(echo, { idleTimeoutMs: -1 }), RangeError);
  assertThrows(() => testHandler(echo, { network: { chunkBytes: 0 } }), RangeError);
  assertThrows(() => testHandler(echo, { network: { up: { delayMs: -1 } } }), RangeError);
});

Deno.test("TestedHandler.end() does nothing after the end, and leaves no timer", async () => {
  await using test = testHandler(() => {});
  test.conn.close();
  await test.ended;

  test.end("kicked");
});
