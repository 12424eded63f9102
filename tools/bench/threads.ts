/**
 * What a thread for each client costs here, against an asynchronous handler in one thread.
 *
 * Run it with `deno run -A tools/bench/threads.ts`. It takes about ten seconds; every server listens on loopback only.
 *
 * @module
 */
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { serve } from "../../lib/server/server.ts";
import { echo } from "../../servers/echo.ts";
import { Threads } from "../../servers/threads/threads.ts";
import { median } from "./report.ts";

const CONVERSATIONS = 21;
const ROUND_TRIPS = 1000;
const HELD = 32;
const ECHO = { module: import.meta.resolve("../../servers/echo.ts"), name: "echo" };

/** Medians of one kind of server. */
interface Costs {
  firstEchoMs: number;
  burstEchoMs: number;
  roundTripUs: number;
  connectionKb: number;
}

async function measure(port: number): Promise<Costs> {
  const first: number[] = [];
  const roundTrips: number[] = [];
  for (let i = 0; i < CONVERSATIONS; i++) {
    const start = performance.now();
    using conn = await FramedConn.connect({ port });
    await conn.request("first");
    first.push(performance.now() - start);
    const next = performance.now();
    for (let n = 0; n < ROUND_TRIPS; n++) await conn.request("0123456789abcdef");
    roundTrips.push((performance.now() - next) * 1000 / ROUND_TRIPS);
  }
  const before = residentKb();
  const start = performance.now();
  const burst: number[] = [];
  const conns = await Promise.all(Array.from({ length: HELD }, async () => {
    const conn = await FramedConn.connect({ port });
    await conn.request("first");
    burst.push(performance.now() - start);
    return conn;
  }));
  const connectionKb = (residentKb() - before) / HELD;
  for (const conn of conns) conn.close();
  return {
    firstEchoMs: median(first),
    burstEchoMs: median(burst),
    roundTripUs: median(roundTrips),
    connectionKb,
  };
}

function residentKb(): number {
  return Deno.memoryUsage().rss / 1024;
}

async function measureAsync(): Promise<Costs> {
  await using server = serve(echo, { port: 0 });
  return await measure(server.addr.port);
}

async function measureThreads(): Promise<Costs> {
  await using threads = new Threads({ handler: ECHO });
  await using server = serve(threads.handler, { port: 0 });
  return await measure(server.addr.port);
}

const costs = [await measureAsync(), await measureThreads()] as const;
const labels: [keyof Costs, string][] = [
  ["firstEchoMs", "first echo, one client after the other, ms"],
  ["burstEchoMs", `first echo, ${HELD} clients at once, ms`],
  ["roundTripUs", "round trip, µs"],
  ["connectionKb", "memory of a connection, both ends, KB"],
];
console.log(`${"median".padEnd(44)}${"handler".padStart(10)}${"thread".padStart(10)}  ratio`);
for (const [key, label] of labels) {
  const [handler, thread] = [costs[0][key], costs[1][key]];
  const columns = [handler, thread].map((value) => value.toPrecision(3).padStart(10));
  console.log(`${label.padEnd(44)}${columns.join("")}  ${(thread / handler).toPrecision(2)}`);
}
