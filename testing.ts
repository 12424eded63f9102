/**
 * Tests your own handlers: connections without a network, and a network with faults.
 *
 * {@linkcode testHandler} runs a handler as `serve` does, over a connection in memory: no port, no permission, no waiting.
 * With `chunkBytes: 1` every byte travels alone, which finds a reader that takes one read for one message.
 *
 * ```ts
 * import type { FramedConn } from "@framed/tcp";
 * import { testHandler } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function shout(conn: FramedConn): Promise<void> {
 *   for await (const text of conn) await conn.send(text.toUpperCase());
 * }
 *
 * await using test = testHandler(shout, { network: { chunkBytes: 1 } });
 * assertEquals(await test.conn.request("hello"), "HELLO");
 *
 * test.end("shutdown");
 * assertEquals((await test.ended).reason, "shutdown");
 * ```
 *
 * With `FakeTime`, limits and delays of seconds take no time:
 *
 * ```ts
 * import { testHandler } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 * import { FakeTime } from "@std/testing/time";
 *
 * using time = new FakeTime();
 * await using test = testHandler((conn) => conn.receive(), { idleTimeoutMs: 60_000 });
 *
 * await time.tickAsync(75_000);
 * assertEquals(await test.conn.receive(), null);
 * test.conn.close();
 *
 * assertEquals((await test.ended).reason, "idle");
 * ```
 *
 * {@linkcode memoryConnPair} makes the two ends of such a connection, for tests of both programs at once.
 *
 * A {@linkcode ScriptedConn} does what a network does only by luck, at the moment you choose:
 *
 * ```ts
 * import { FramedConn } from "@framed/tcp";
 * import { ScriptedConn } from "@framed/tcp/testing";
 * import { assertRejects } from "@std/assert";
 *
 * const truncated = new ScriptedConn({ reads: [new Uint8Array([0, 0]), null] });
 * using conn = new FramedConn(truncated);
 *
 * await assertRejects(() => conn.receive(), Deno.errors.UnexpectedEof);
 * ```
 *
 * {@linkcode startFaultProxy} does it to real sockets, between any two programs; a seed repeats it:
 *
 * ```ts
 * import { FramedConn, serve } from "@framed/tcp";
 * import { startFaultProxy } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (conn) => {
 *   for await (const text of conn) await conn.send(text);
 * }, { port: 0 });
 * await using proxy = await startFaultProxy({
 *   to: server.addr,
 *   seed: 42,
 *   up: { splitBytes: 1 },
 *   down: { cutInBody: 2 },
 * });
 *
 * using client = await FramedConn.connect({ hostname: "127.0.0.1", port: proxy.addr.port });
 * assertEquals(await client.request("first"), "first");
 * const error = await client.request("second").catch((error) => error);
 * assertEquals(error.name, "UnexpectedEof");
 * ```
 *
 * @module
 */

export { MemoryConn, memoryConnPair, memoryListener } from "./lib/conn/memory_conn.ts";
export type { MemoryConnOptions, MemoryListener } from "./lib/conn/memory_conn.ts";
export type { ByteSink, ByteSource } from "./lib/conn/memory_pipe.ts";
export { ScriptedConn } from "./lib/testing/scripted_conn.ts";
export type {
  ScriptedConnOptions,
  ScriptedRead,
  ScriptedWrite,
} from "./lib/testing/scripted_conn.ts";
export { testHandler } from "./lib/testing/test_handler.ts";
export type { TestedHandler, TestHandlerOptions } from "./lib/testing/test_handler.ts";
export type { MemoryNetworkOptions } from "./lib/testing/memory_network.ts";
export type { ConversationEnd } from "./lib/server/end_reason.ts";
export { FaultProxy, startFaultProxy } from "./lib/faults/fault_proxy.ts";
export type {
  FaultCounts,
  FaultProxyEvent,
  FaultProxyOptions,
  FaultSummary,
} from "./lib/faults/fault_proxy.ts";
export type { FaultDirection, FaultEndReason } from "./lib/faults/fault_connection.ts";
export type { AppliedFault, FaultName } from "./lib/faults/fault_stream.ts";
export type { CutBy, Faults, FaultSettings } from "./lib/faults/fault_options.ts";
