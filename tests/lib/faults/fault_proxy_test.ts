import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type FaultProxyEvent, startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { turns } from "../../support/turns.ts";
import { dial, fakeMsOf, pass, ramp, readBytes, writeAll, writes } from "./passage.ts";

const { ConnectionReset } = Deno.errors;

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
