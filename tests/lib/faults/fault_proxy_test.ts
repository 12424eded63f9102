import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type FaultProxyEvent, startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import type { Faults } from "../../../lib/faults/fault_options.ts";
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

Deno.test("startFaultProxy() gives a random seed when none is given, and rejects when its port is busy", async () => {
  const options = { to: { port: 9 } };
  await using first = await startFaultProxy(options);
  await using second = await startFaultProxy(options);
  const listen = { port: first.addr.port };

  assertNotEquals(first.seed, second.seed);
  const error = await assertRejects(() => startFaultProxy({ ...options, listen }));
  assertEquals((error as { code?: string }).code, "EADDRINUSE");
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

const SLOW: [faults: Faults, bytes: number, ms: number][] = [
  // Ten delays one after another would be 600 ms.
  [{ delayMs: 60, splitBytes: 1 }, 10, 60],
  [{ bytesPerSecond: 1000 }, 100, 100],
];

for (const [faults, bytes, expectedMs] of SLOW) {
  Deno.test(`FaultProxy delivers ${bytes} bytes in ${expectedMs} ms with ${JSON.stringify(faults)}`, async () => {
    await using passage = await pass({ down: faults });

    const ms = await fakeMsOf(async () => {
      await writeAll(passage.server, ramp(bytes));
      await readBytes(passage.client, bytes);
    });

    assertEquals(ms, expectedMs);
  });
}

for (const stallMs of [3_600_000, Infinity]) {
  Deno.test(`FaultProxy stalls for ${stallMs} ms, or until the faults are changed`, async () => {
    await using passage = await pass({ up: { stallMs, stallAfterBytes: 2 } });
    const { client, server, proxy, events } = passage;

    await writeAll(client, ramp(4));
    assertEquals(await readBytes(server, 2), [0, 1]);
    await turns(50);
    assertEquals(writes(events), [2]);
    proxy.set({ up: {} });

    assertEquals(await readBytes(server, 2), [2, 3]);
  });
}

Deno.test("FaultProxy cuts after so many bytes and ends both sides in order", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 3 } });
  const { client, server, closed } = passage;

  await writeAll(client, ramp(5));

  assertEquals(await readBytes(server), [0, 1, 2]);
  assertEquals(await readBytes(client), []);
  assertEquals(await closed, { type: "closed", id: 1, reason: "close" });
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

Deno.test("FaultProxy takes and drops what comes after a half-close, until the sender ends", async () => {
  await using passage = await pass({ up: { cutAfterBytes: 1, cutBy: "half-close" } });
  const { client, server, closed } = passage;

  await writeAll(client, ramp(1));
  assertEquals(await readBytes(server), [0]);
  await writeAll(server, ramp(2));
  server.close();
  assertEquals(await readBytes(client), [0, 1], "the other direction goes on");
  await writeAll(client, new Uint8Array(16 * 1024 * 1024));
  await client.closeWrite();

  assertEquals(await closed, { type: "closed", id: 1, reason: "finished" });
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
