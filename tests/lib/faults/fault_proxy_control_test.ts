import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { spy } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { MAX_DELAY_MS } from "../../../lib/base/numbers.ts";
import { turns } from "../../support/turns.ts";
import { dial, pass, ramp, readBytes, writeAll, writes } from "./passage.ts";

const { ConnectionRefused, ConnectionReset } = Deno.errors;

Deno.test("FaultProxy.set() cuts at once when the place has passed", async () => {
  await using passage = await pass();
  const { client, server, proxy } = passage;
  await writeAll(client, ramp(5));
  await readBytes(server, 5);

  proxy.set({ up: { cutAfterBytes: 2 } });

  assertEquals(await readBytes(server), []);
  assertEquals(await readBytes(client), []);
});

Deno.test("FaultProxy refuses faults that make no sense, in either direction and at any time", async () => {
  const to = { port: 1 };
  await using proxy = await startFaultProxy({ to });

  for (const faults of [{ up: { splitBytes: 0 } }, { down: { splitBytes: 0 } }]) {
    assertThrows(() => proxy.set(faults), RangeError);
    await assertRejects(() => startFaultProxy({ to, ...faults }), RangeError);
  }
});

Deno.test("FaultProxy.set() keeps the faults of the direction that is not named", async () => {
  await using passage = await pass({ up: { splitBytes: 1 } });
  const { client, server, proxy, events } = passage;

  proxy.set({ down: { splitBytes: 2 } });
  await writeAll(client, ramp(2));
  await readBytes(server, 2);
  await writeAll(server, ramp(4));
  await readBytes(client, 4);

  assertEquals(writes(events), [1, 1, 2, 2]);
});

Deno.test("FaultProxy.cut() ends the present connections and welcomes new ones", async () => {
  await using passage = await pass();
  const { proxy, client, server } = passage;

  proxy.cut("reset");

  await assertRejects(() => readBytes(client), ConnectionReset);
  await assertRejects(() => readBytes(server), ConnectionReset);
  using _another = await dial(proxy);
});

Deno.test("FaultProxy.cut() does not wait for a peer that never reads", async () => {
  const stuck = Promise.withResolvers<void>();
  await using passage = await pass();
  const { proxy, server, closed } = passage;

  const writing = writeAll(server, new Uint8Array(64 * 1024 * 1024)).catch(stuck.resolve);
  await waitUntilStill(() => proxy.summary.down.bytes);
  proxy.cut("close");

  assertEquals(await closed, { type: "closed", id: 1, reason: "close" });
  await Promise.all([writing, stuck.promise]);
});

Deno.test("FaultProxy.refuse() refuses for a while and keeps the present connections", async () => {
  const listening = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let times = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await startFaultProxy({
    to: { port: listener.addr.port },
    onEvent: (event) => event.type === "listening" && listening[times++]!.resolve(),
  });
  using client = await dial(proxy);
  using server = await listener.accept();
  using time = new FakeTime();

  proxy.refuse(50);
  time.tick(49);
  await turns(50);
  await assertRejects(() => dial(proxy), ConnectionRefused);
  await writeAll(client, ramp(1));
  assertEquals(await readBytes(server, 1), [0]);
  time.tick(1);
  await listening[1]!.promise;

  using _another = await dial(proxy);
  using _server = await listener.accept();
  listener.close();
});

Deno.test("FaultProxy.refuse() refuses for ever", async () => {
  await using passage = await pass();
  const { proxy, client, server } = passage;
  using timers = spy(globalThis, "setTimeout");

  proxy.refuse(Infinity);
  await writeAll(client, ramp(1));
  await readBytes(server, 1);

  await assertRejects(() => dial(proxy), ConnectionRefused);
  // A timer that is asked for more than it can wait runs out at once.
  assertEquals(timers.calls.map(({ args }) => args[1]), [MAX_DELAY_MS]);
});

Deno.test("FaultProxy.summary counts connections, bytes, frames and faults", async () => {
  await using passage = await pass({ up: { splitBytes: 1 } });
  const { proxy, client, server, closed } = passage;

  await writeAll(client, encodeFrame("abc"));
  await writeAll(client, encodeFrame(""));
  await readBytes(server, 11);
  await writeAll(server, encodeFrame("torn").subarray(0, 5));
  await readBytes(client, 5);

  proxy.summary.up.faults.split = 1e9; // It is a copy.
  const summary = proxy.summary;
  assertEquals(summary.connections, 1);
  assertEquals([summary.up.bytes, summary.up.frames], [11, 2]);
  assertEquals(summary.down, { bytes: 5, frames: 0, faults: {} });
  assert(summary.up.faults.split! >= 1 && summary.up.faults.split! < 100);
  proxy.cut("close");
  await closed;
  assertEquals(proxy.summary, summary);
});

Deno.test("FaultProxy.close() ends connections that wait, and is harmless twice", async () => {
  await using passage = await pass({ up: { delayMs: 3_600_000 } });
  const { proxy, client, server, events } = passage;
  await writeAll(client, ramp(1));

  await Promise.all([proxy.close(), proxy.close()]);
  proxy.refuse(3_600_000);

  assertEquals(await readBytes(server), []);
  await assertRejects(() => dial(proxy), ConnectionRefused);
  assertEquals(events.at(-1), { type: "closed", id: 1, reason: "stopped" });
});

Deno.test("FaultProxy makes a sender wait when its receiver does not read", async () => {
  await using passage = await pass();
  const { client, proxy } = passage;

  const bytes = new Uint8Array(64 * 1024 * 1024);
  let sent = 0;
  const writing = (async () => {
    while (sent < bytes.length) sent += await client.write(bytes.subarray(sent));
  })().catch(() => {});
  await waitUntilStill(() => sent);

  assertLess(sent, bytes.length);
  assertLess(proxy.summary.up.bytes, bytes.length / 2);
  client.close();
  await writing;
});

/** Waits until a number has grown and has then been the same for many turns: the proxy works in this thread. */
async function waitUntilStill(number: () => number): Promise<number> {
  for (let last = -1; last !== number() || last === 0; await turns(500)) last = number();
  return number();
}

Deno.test("startFaultProxy() refuses a port that no server has, and a limit that is not a number", async () => {
  for (const port of [NaN, 0, 99_999, 1.5]) {
    await assertRejects(() => startFaultProxy({ to: { port } }), RangeError, `port ${port}`);
  }
  const options = { to: { port: 1 }, maxConnections: NaN };
  await assertRejects(() => startFaultProxy(options), RangeError, "maxConnections is NaN");
});

Deno.test("startFaultProxy() carries no more than maxConnections, until one ends", async () => {
  await using passage = await pass({ maxConnections: 1 });
  const { proxy, client, closed } = passage;

  using excess = await dial(proxy);
  const turnedAway = await readBytes(excess).catch((error) => error);
  client.close();
  passage.server.close();
  await closed;
  using next = await dial(proxy);

  assert(turnedAway instanceof ConnectionReset || turnedAway.length === 0, `${turnedAway}`);
  // The listener behind it is closed, so the next one ends too, but as a connection.
  assertEquals(await readBytes(next).catch((error) => error.name), "ConnectionReset");
  assertEquals(proxy.summary.connections, 2);
});
