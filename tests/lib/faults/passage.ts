/**
 * A fault proxy between a client and a server, for its tests.
 *
 * @module
 */
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import {
  type FaultProxy,
  type FaultProxyEvent,
  type FaultProxyOptions,
  startFaultProxy,
} from "../../../lib/faults/fault_proxy.ts";
import { turns } from "../../support/turns.ts";

/** A proxy in front of a listener, and both conns of one connection through it. */
export interface Passage extends AsyncDisposable {
  proxy: FaultProxy;
  client: Deno.Conn;
  server: Deno.Conn;
  events: FaultProxyEvent[];
  /** Settles when the connection has left the proxy. */
  closed: Promise<FaultProxyEvent>;
}

/** Starts a proxy and one connection through it. */
export async function pass(faults: Omit<FaultProxyOptions, "to"> = {}): Promise<Passage> {
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

/** Connects a client to a proxy. */
export function dial(proxy: FaultProxy): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: proxy.addr.port });
}

/** Writes all of the bytes. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

/** Reads as many bytes as wanted, or up to the end. */
export async function readBytes(conn: Deno.Conn, wanted = Infinity): Promise<number[]> {
  const bytes: number[] = [];
  const p = new Uint8Array(65_536);
  while (bytes.length < wanted) {
    const n = await conn.read(p.subarray(0, Math.min(p.length, wanted - bytes.length)));
    if (n === null) break;
    bytes.push(...p.subarray(0, n));
  }
  return bytes;
}

/** Bytes that count up from 0. */
export function ramp(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

/** The sizes of what was delivered, a write each. */
export function writes(events: FaultProxyEvent[]): number[] {
  return events.flatMap((event) => event.type === "delivered" ? [event.bytes.length] : []);
}

/** How long `act` takes on a clock that moves only when there is nothing left to do but wait. */
export async function fakeMsOf(act: () => Promise<unknown>): Promise<number> {
  using time = new FakeTime(0);
  using _clock = stub(performance, "now", () => time.now);
  let settled = false;
  const acting = act().finally(() => settled = true);
  for (await turns(20); !settled; await turns(20)) time.next();
  await acting;
  return time.now;
}
