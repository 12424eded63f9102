import { assertEquals, assertLess } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { AcceptLoop } from "../../../lib/server/accept_loop.ts";
import { serve, type Server } from "../../../lib/server/server.ts";
import type { ServerEvent } from "../../../lib/server/server_events.ts";
import { connectTo, echo } from "../../support/served.ts";
import { turns } from "../../support/turns.ts";

const MIB = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** What is held, without what only waits to be collected. */
function heldMemory(): Deno.MemoryUsage {
  collectGarbage();
  return Deno.memoryUsage();
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function connectRaw(server: Server): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
}

/** Calls `act` so many times, so many at once. */
async function often(times: number, atOnce: number, act: () => Promise<void>): Promise<void> {
  let left = times;
  const work = async () => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const DRAIN_MS = 10_000;

/** Reads up to the end, which may be a reset, and fails where it does not come. */
async function drain(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(1024);
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    conn.close();
  }, DRAIN_MS);
  try {
    while (await conn.read(chunk) !== null);
  } catch (error) {
    if (isOver) throw new Error(`The connection is still open after ${DRAIN_MS} ms`);
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Writes, though the peer may have hung up already. */
async function writeAnyway(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    await conn.write(bytes);
  } catch (error) {
    const isHungUp = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.ConnectionReset;
    if (!isHungUp) throw error;
  }
}

/** Counts conversations that have ended. Give its `take` to a server as `onEvent`. */
class Endings {
  readonly #reached = Promise.withResolvers<void>();
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  readonly take = ({ type }: ServerEvent): void => {
    if (type === "disconnected" && --this.#left === 0) this.#reached.resolve();
  };

  /** Waits until so many have ended and the server has put them away. */
  async all(): Promise<void> {
    await this.#reached.promise;
    await turns();
  }
}

/** How many descriptors this process has open, where the system tells and we may ask. */
function descriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return undefined;
  }
}

Deno.test("serve() keeps its memory flat in a flood of announced 4 GiB frames, and serves others", async (t) => {
  const attackers = 400;
  const endings = new Endings(attackers);
  await using server = serve(echo, { port: 0, onEvent: endings.take });
  using normal = await connectTo(server);
  assertEquals(await normal.request("before"), "before");
  const before = heldMemory();
  const attack = new Uint8Array(16 * 1024).fill(0xff);
  let most = before.external;

  let asked = 0;
  await often(attackers, 50, async () => {
    const conn = await connectRaw(server);
    await writeAnyway(conn, attack);
    await drain(conn);
    conn.close();
    most = Math.max(most, Deno.memoryUsage().external);
    const text = `during ${++asked}`;
    if (asked % 50 === 0) assertEquals(await normal.request(text), text);
  });

  await endings.all();
  assertEquals(await normal.request("after"), "after");
  assertEquals(server.connections, 1);
  const after = heldMemory();
  const heap = after.heapUsed - before.heapUsed, rss = after.rss - before.rss;
  const buffers = most - before.external;
  await t.step(
    `buffers up to ${inMib(buffers)} more, heap ${inMib(heap)}, process ${inMib(rss)}`,
    () => {},
  );
  // Three times what was measured, in five runs, at most: 4.1, 0.6 and 7.4 MiB.
  assertLess(buffers, 12 * MIB);
  assertLess(heap, 2 * MIB);
  assertLess(rss, 24 * MIB);
});

Deno.test("serve() keeps nothing of 10,000 clients that came and went", async (t) => {
  const clients = 10_000;
  const warmUp = 500;
  const warm = new Endings(warmUp);
  const endings = new Endings(warmUp + clients);
  const onEvent = (event: ServerEvent) => [warm, endings].forEach(({ take }) => take(event));
  await using server = serve(echo, { port: 0, onEvent });
  const comeAndGo = async () => (await connectRaw(server)).close();
  await often(warmUp, 50, comeAndGo);
  await warm.all();
  const before = { memory: heldMemory(), descriptors: descriptors() };

  await often(clients, 50, comeAndGo);
  await endings.all();
  using normal = await connectTo(server);

  assertEquals(await normal.request("still here"), "still here");
  assertEquals(server.connections, 1);
  const after = { memory: heldMemory(), descriptors: descriptors() };
  const buffers = after.memory.external - before.memory.external;
  const heap = after.memory.heapUsed - before.memory.heapUsed;
  const rss = after.memory.rss - before.memory.rss;
  await t.step(
    `buffers ${inMib(buffers)} more, heap ${inMib(heap)}, process ${inMib(rss)}`,
    () => {},
  );
  // 105 bytes kept of each client would be 1 MiB.
  assertLess(buffers, MIB);
  assertLess(heap, MIB);
  assertLess(rss, 24 * MIB);
  // Both ends of the client that is still here.
  if (before.descriptors !== undefined) assertLess(after.descriptors! - before.descriptors, 3);
});

const [IDLE, DRIPPING] = [5000, 1000];
// Both ends of each connection are in this process.
const NEEDED = 2 * (IDLE + DRIPPING) + 500;

/** Why this process may not open so many descriptors; empty where it may. */
function reasonToSkip(): string {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
    return limit < NEEDED ? ` (skipped: ulimit -n is ${limit}, needs ${NEEDED})` : "";
  } catch (error) {
    const isRefused = error instanceof Deno.errors.NotCapable;
    return isRefused ? " (skipped: needs -A)" : " (skipped: ulimit -n is unknown)";
  }
}

const reason = reasonToSkip();

Deno.test({
  name: `serve() answers promptly beside ${IDLE} idle clients and ${DRIPPING} that drip${reason}`,
  ignore: reason !== "",
  async fn() {
    await using server = serve(echo, { port: 0 });
    const slow: Deno.TcpConn[] = [];
    const silent: Deno.TcpConn[] = [];
    using stack = new DisposableStack();
    const join = async (list: Deno.TcpConn[]) => {
      const conn = stack.use(await connectRaw(server));
      conn.setNoDelay();
      list.push(conn);
    };
    await often(DRIPPING, 50, () => join(slow));
    await often(IDLE, 50, () => join(silent));
    using normal = await connectTo(server);
    const frame = encodeFrame("drip");
    const echoed = slow.map(async (conn) => {
      const answer = new Uint8Array(frame.length);
      for (let at = 0; at < answer.length;) at += await conn.read(answer.subarray(at)) ?? Infinity;
      return answer;
    });

    // A round stands for a second: each drips one byte, all at once, which is worse than spread over the second.
    const waits: number[] = [];
    for (let at = 0; at < frame.length; at++) {
      const drips = slow.map((conn) => conn.write(frame.subarray(at, at + 1)));
      const askedAt = performance.now();
      assertEquals(await normal.request(`round ${at}`), `round ${at}`);
      waits.push(performance.now() - askedAt);
      await Promise.all(drips);
    }

    for (const answer of await Promise.all(echoed)) assertEquals(answer, frame);
    assertEquals(server.connections, slow.length + silent.length + 1);
    // All of it happens in this one thread, the clients too.
    assertLess(Math.max(...waits), 1000);
  },
});

Deno.test("5,000 refused peers leave nothing behind in a server that goes on accepting", async () => {
  let refused = 0;
  const enough = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Deno.TcpConn>();
  const listener = {
    accept: () => refused < 5500 ? Promise.resolve({} as Deno.TcpConn) : never.promise,
    close: () => never.reject(new Deno.errors.BadResource()),
  };
  let before = 0;
  const loop = new AcceptLoop(listener as unknown as Deno.TcpListener, {
    onConn: () => {
      if (++refused === 500) before = heldMemory().heapUsed;
      if (refused === 5500) enough.resolve();
      return false;
    },
    onFailed: () => {},
    onClosed: () => {},
  });

  await enough.promise;
  const grownBytes = heldMemory().heapUsed - before;

  assertLess(grownBytes, 5000 * 100);
  await loop.close();
});
