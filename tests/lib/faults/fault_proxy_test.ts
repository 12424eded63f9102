import {
  assert,
  assertEquals,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { spy, stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { type FaultProxyEvent, startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import type { FaultProxy, FaultProxyOptions } from "../../../lib/faults/fault_proxy.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { MAX_DELAY_MS } from "../../../lib/base/limits.ts";
import { turns } from "../../support/turns.ts";

const { ConnectionRefused, ConnectionReset } = Deno.errors;

/** A proxy in front of a listener, and both conns of one connection through it. */
interface Passage extends AsyncDisposable {
  proxy: FaultProxy;
  client: Deno.Conn;
  server: Deno.Conn;
  events: FaultProxyEvent[];
  /** Settles when the connection has left the proxy. */
  closed: Promise<FaultProxyEvent>;
}

async function pass(faults: Omit<FaultProxyOptions, "to"> = {}): Promise<Passage> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const events: FaultProxyEvent[] = [];
  const closed = Promise.withResolvers<FaultProxyEvent>();
  const proxy = await startFaultProxy({
    seed: 1,
    ...faults,
    to: { port: listener.addr.port },
    onEvent: (event) => {
      events.push(event);
      if (event.type === "closed") closed.resolve(event);
    },
  });
  const [client, server] = await Promise.all([dial(proxy), listener.accept()]);
  listener.close();
  const dispose = async () => {
    client[Symbol.dispose]();
    server[Symbol.dispose]();
    await proxy.close();
  };
  return { proxy, client, server, events, closed: closed.promise, [Symbol.asyncDispose]: dispose };
}

function dial(proxy: FaultProxy): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: proxy.addr.port });
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Reads so many bytes, or up to the end. */
async function readBytes(conn: Deno.Conn, wanted = Infinity): Promise<number[]> {
  const bytes: number[] = [];
  const p = new Uint8Array(65_536);
  while (bytes.length < wanted) {
    const n = await conn.read(p.subarray(0, Math.min(p.length, wanted - bytes.length)));
    if (n === null) break;
    bytes.push(...p.subarray(0, n));
  }
  return bytes;
}

function ramp(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

function writes(events: FaultProxyEvent[]): number[] {
  return events.flatMap((event) => event.type === "delivered" ? [event.bytes.length] : []);
}

/** How long `act` takes on a clock that moves only when there is nothing left to do but wait. */
async function fakeMsOf(act: () => Promise<unknown>): Promise<number> {
  using time = new FakeTime(0);
  using _clock = stub(performance, "now", () => time.now);
  let settled = false;
  const acting = act().finally(() => settled = true);
  for (await turns(20); !settled; await turns(20)) time.next();
  await acting;
  return time.now;
}

Deno.test("startFaultProxy() passes bytes in both directions unchanged", async () => {
  await using passage = await pass();
  const { client, server } = passage;

  await writeAll(client, ramp(100_000));
  assertEquals((await readBytes(server, 100_000)).length, 100_000);
  await writeAll(server, ramp(9));
  assertEquals(await readBytes(client, 9), [...ramp(9)]);
});

Deno.test("startFaultProxy() passes a half-close on, and the answer after it", async () => {
  await using passage = await pass();
  const { client, server, closed } = passage;

  await writeAll(client, ramp(3));
  await client.closeWrite();
  assertEquals(await readBytes(server), [0, 1, 2]);
  await writeAll(server, ramp(2));
  server.close();

  assertEquals(await readBytes(client), [0, 1]);
  assertEquals(await closed, { type: "closed", id: 1, reason: "finished" });
});

Deno.test("startFaultProxy() passes the server's half-close on, and what comes after it", async () => {
  await using passage = await pass();
  const { client, server, closed } = passage;

  await server.closeWrite();
  assertEquals(await readBytes(client), []);
  await writeAll(client, ramp(2));
  client.close();

  assertEquals(await readBytes(server), [0, 1]);
  assertEquals(await closed, { type: "closed", id: 1, reason: "finished" });
});

Deno.test("startFaultProxy() gives a random seed when none is given", async () => {
  const options = { to: { port: 9 } };
  await using first = await startFaultProxy(options);
  await using second = await startFaultProxy(options);

  assertNotEquals(first.seed, second.seed);
});

Deno.test("startFaultProxy() rejects when its port is busy", async () => {
  await using busy = await startFaultProxy({ to: { port: 9 } });

  const { port } = busy.addr;
  const error = await assertRejects(() => startFaultProxy({ to: { port: 9 }, listen: { port } }));

  assertEquals((error as { code?: string }).code, "EADDRINUSE");
});

Deno.test("startFaultProxy() rejects faults that make no sense and holds no port", async () => {
  await assertRejects(
    () => startFaultProxy({ to: { port: 9 }, up: { splitBytes: 0 } }),
    RangeError,
    "splitBytes",
  );
});

Deno.test("FaultProxy resets a client whose server does not answer", async () => {
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = gone.addr;
  gone.close();
  const closed = Promise.withResolvers<FaultProxyEvent>();
  await using proxy = await startFaultProxy({
    to: { port },
    onEvent: (event) => event.type === "closed" && closed.resolve(event),
  });

  using client = await dial(proxy);

  await assertRejects(() => readBytes(client), ConnectionReset);
  assertEquals(await closed.promise, { type: "closed", id: 1, reason: "unreachable" });
});

Deno.test("FaultProxy passes a reset on", async () => {
  await using far = await pass({ up: { cutAfterBytes: 1, cutBy: "reset" } });
  await using near = await startFaultProxy({ to: { port: far.proxy.addr.port } });
  using client = await dial(near);

  await writeAll(client, ramp(1));

  await assertRejects(() => readBytes(client), ConnectionReset);
});

Deno.test("FaultProxy splits writes in one direction only", async () => {
  await using passage = await pass({ up: { splitBytes: 2 } });
  const { client, server, events } = passage;

  await writeAll(client, ramp(5));
  await readBytes(server, 5);
  await writeAll(server, ramp(5));
  await readBytes(client, 5);

  assertEquals(writes(events), [2, 2, 1, 5]);
});

Deno.test("FaultProxy merges what arrives close together", async () => {
  await using passage = await pass({ up: { mergeMs: 3_600_000 } });
  const { proxy, client, server, events } = passage;

  for (let at = 0; at < 5; at++) {
    await writeAll(client, ramp(1));
    // The proxy reads each alone.
    await turns(50);
  }
  proxy.set({ up: {} });
  await readBytes(server, 5);

  assertEquals(writes(events), [5]);
});

Deno.test("FaultProxy delays bytes without slowing the stream", async () => {
  await using passage = await pass({ up: { delayMs: 60, splitBytes: 1 } });
  const { client, server } = passage;

  const ms = await fakeMsOf(async () => {
    await writeAll(client, ramp(10));
    await readBytes(server, 10);
  });

  // Ten delays one after another would be 600 ms.
  assertEquals(ms, 60);
});

Deno.test("FaultProxy limits the rate", async () => {
  await using passage = await pass({ down: { bytesPerSecond: 1000 } });
  const { client, server } = passage;

  const ms = await fakeMsOf(async () => {
    await writeAll(server, ramp(100));
    await readBytes(client, 100);
  });

  assertEquals(ms, 100);
});

Deno.test("FaultProxy stalls until the time is over or the faults are changed", async () => {
  await using passage = await pass({ up: { stallMs: 3_600_000, stallAfterBytes: 2 } });
  const { client, server, proxy } = passage;

  await writeAll(client, ramp(4));
  assertEquals(await readBytes(server, 2), [0, 1]);
  proxy.set({ up: {} });

  assertEquals(await readBytes(server, 2), [2, 3]);
});

Deno.test("FaultProxy stalls for ever", async () => {
  await using passage = await pass({ up: { stallMs: Infinity, stallAfterBytes: 1 } });
  const { client, server, proxy, events } = passage;

  await writeAll(client, ramp(2));
  await readBytes(server, 1);
  await proxy.close();

  assertEquals(writes(events), [1]);
});

Deno.test("FaultProxy cuts after so many bytes and ends both sides in order", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 3 } });
  const { client, server, closed } = passage;

  await writeAll(client, ramp(5));

  assertEquals(await readBytes(server), [0, 1, 2]);
  assertEquals(await readBytes(client), []);
  assertEquals(await closed, { type: "closed", id: 1, reason: "close" });
});

Deno.test("FaultProxy cuts inside a body", async () => {
  await using passage = await pass({ down: { cutInBody: 2 } });
  const { client, server } = passage;

  await writeAll(server, encodeFrame("ab"));
  await writeAll(server, encodeFrame("cdefgh"));

  const { length } = await readBytes(client);
  assert(length > 10 && length < 16, `${length} bytes arrived`);
});

Deno.test("FaultProxy cuts by a reset that both sides notice", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 1, cutBy: "reset" } });
  const { client, server, closed } = passage;

  const serverReading = assertRejects(() => readBytes(server), ConnectionReset);
  await writeAll(client, ramp(1));

  await assertRejects(() => readBytes(client), ConnectionReset);
  await serverReading;
  assertEquals(await closed, { type: "closed", id: 1, reason: "reset" });
});

Deno.test("FaultProxy cuts by a half-close that leaves the other direction", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 1, cutBy: "half-close" } });
  const { client, server } = passage;

  await writeAll(client, ramp(3));
  assertEquals(await readBytes(server), [0]);
  await writeAll(server, ramp(2));
  assertEquals(await readBytes(client, 2), [0, 1]);
});

Deno.test("FaultProxy takes and drops what comes after a half-close, until the sender ends", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 1, cutBy: "half-close" } });
  const { client, server, closed } = passage;

  await writeAll(client, ramp(1));
  assertEquals(await readBytes(server), [0]);
  server.close();
  assertEquals(await readBytes(client), []);
  await writeAll(client, new Uint8Array(16 * 1024 * 1024));
  await client.closeWrite();

  assertEquals(await closed, { type: "closed", id: 1, reason: "finished" });
});

Deno.test("FaultProxy swallows one direction only", async () => {
  await using passage = await pass({ up: { swallow: true } });
  const { client, server, proxy } = passage;

  await writeAll(client, ramp(3));
  await writeAll(server, ramp(1));
  await readBytes(client, 1);
  await client.closeWrite();

  assertEquals(await readBytes(server), []);
  assertEquals(proxy.summary.up.bytes, 0);
});

Deno.test("FaultProxy does the same again for the same seed", async () => {
  const results: number[][] = [];
  for (const seed of [5, 5, 6]) {
    await using passage = await pass({ seed, up: { flipRate: 0.1, insertRate: 0.1 } });
    await writeAll(passage.client, new Uint8Array(200));
    await passage.client.closeWrite();
    results.push(await readBytes(passage.server));
  }

  assertEquals(results[0], results[1]);
  assertNotEquals(results[0], results[2]);
});

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

Deno.test("FaultProxy.summary is a copy", async () => {
  await using proxy = await startFaultProxy({ to: { port: 1 } });

  proxy.summary.up.faults.split = 7;

  assertEquals(proxy.summary.up.faults, {});
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

  const summary = proxy.summary;
  assertEquals(summary.connections, 1);
  assertEquals([summary.up.bytes, summary.up.frames], [11, 2]);
  assertEquals(summary.down, { bytes: 5, frames: 0, faults: {} });
  assert(summary.up.faults.split! >= 1);
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

Deno.test("startFaultProxy() carries no more than maxConnections, until one ends", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = Promise.withResolvers<void>();
  await using proxy = await startFaultProxy({
    to: { port: listener.addr.port },
    maxConnections: 1,
    onEvent: ({ type }) => type === "closed" && closed.resolve(),
  });
  const [first, server] = await Promise.all([dial(proxy), listener.accept()]);

  using excess = await dial(proxy);
  const turnedAway = await readBytes(excess).catch((error) => error);
  for (const conn of [first, server]) conn.close();
  await closed.promise;
  const greeting = listener.accept().then(async (conn) => {
    await writeAll(conn, ramp(3));
    conn.close();
  });
  using next = await dial(proxy);

  assert(turnedAway instanceof ConnectionReset || turnedAway.length === 0, `${turnedAway}`);
  assertEquals(await readBytes(next), [0, 1, 2]);
  await greeting;
  assertEquals(proxy.summary.connections, 2);
});

Deno.test("startFaultProxy() refuses a port that no server has, and a limit that is no number", async () => {
  for (const port of [NaN, 0, 99_999, 1.5]) {
    await assertRejects(() => startFaultProxy({ to: { port } }), RangeError, `port ${port}`);
  }
  const options = { to: { port: 1 }, maxConnections: NaN };
  await assertRejects(() => startFaultProxy(options), RangeError, "maxConnections is NaN");
});
