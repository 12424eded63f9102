import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { tcpPair } from "../../support/loopback.ts";
import { isPending } from "../../support/turns.ts";

const { BadResource, BrokenPipe, Interrupted } = Deno.errors;
const bytes = (...values: number[]) => new Uint8Array(values);

async function read(conn: Deno.Conn, atMost = 16): Promise<number[] | null> {
  const p = new Uint8Array(atMost);
  const n = await conn.read(p);
  return n === null ? null : [...p.subarray(0, n)];
}

/** Whether a promise is still pending after everything that can happen in memory has happened. */
Deno.test("memoryConnPair() joins writes as a stream does", async () => {
  const [client, server] = memoryConnPair();

  await client.write(bytes(1, 2));
  await client.write(bytes(3, 4));

  assertEquals(await read(server, 3), [1, 2, 3]);
  assertEquals(await read(server, 3), [4]);
});

Deno.test("memoryConnPair() copies what is written", async () => {
  const [client, server] = memoryConnPair();
  const written = bytes(1);

  await client.write(written);
  written[0] = 9;

  assertEquals(await read(server), [1]);
});

Deno.test("memoryConnPair() takes and gives at most chunkBytes", async () => {
  const [client, server] = memoryConnPair({ chunkBytes: 2 });

  assertEquals(await client.write(bytes(1, 2, 3)), 2);
  assertEquals(await client.write(bytes(3)), 1);

  assertEquals(await read(server), [1, 2]);
  assertEquals(await read(server), [3]);
});

Deno.test("memoryConnPair() writes partially up to the high-water mark, then waits for the reader", async () => {
  const [client, server] = memoryConnPair({ highWaterMarkBytes: 3 });

  assertEquals(await client.write(bytes(1, 2, 3, 4)), 3);
  const waiting = client.write(bytes(4));
  assert(await isPending(waiting));

  assertEquals(await read(server, 2), [1, 2]);
  assertEquals(await waiting, 1);
  assertEquals(await read(server), [3, 4]);
});

Deno.test("memoryConnPair() refuses limits that would stop everything", () => {
  for (const limit of [0, -1, NaN]) {
    assertThrows(() => memoryConnPair({ chunkBytes: limit }), RangeError, "chunkBytes");
    assertThrows(() => memoryConnPair({ highWaterMarkBytes: limit }), RangeError, "highWater");
  }
});

Deno.test("MemoryConn.read() waits for bytes", async () => {
  const [client, server] = memoryConnPair();

  const reading = read(server);
  assert(await isPending(reading));
  await client.write(bytes(1));

  assertEquals(await reading, [1]);
});

Deno.test("MemoryConn.read() gives what was sent before the end, then null for ever", async () => {
  const [client, server] = memoryConnPair();

  await client.write(bytes(1));
  client.close();

  assertEquals(await read(server), [1]);
  assertEquals(await read(server), null);
  assertEquals(await read(server), null);
});

Deno.test("MemoryConn.write() succeeds once after the peer has closed, then is BrokenPipe", async () => {
  const [client, server] = memoryConnPair();

  server.close();

  assertEquals(await client.write(bytes(1, 2)), 2);
  await assertRejects(() => client.write(bytes(3)), BrokenPipe);
});

Deno.test("MemoryConn.write() is BrokenPipe at once when the peer closed with unread bytes", async () => {
  const [client, server] = memoryConnPair();
  await client.write(bytes(1));

  server.close();

  await assertRejects(() => client.write(bytes(2)), BrokenPipe);
});

Deno.test("MemoryConn.write() that waits is BrokenPipe when the peer closes", async () => {
  const [client, server] = memoryConnPair({ highWaterMarkBytes: 1 });
  await client.write(bytes(1));

  const waiting = assertRejects(() => client.write(bytes(2)), BrokenPipe);
  server.close();

  await waiting;
});

Deno.test("MemoryConn.close() interrupts a pending write", async () => {
  const [client] = memoryConnPair({ highWaterMarkBytes: 1 });
  await client.write(bytes(1));

  const writing = assertRejects(() => client.write(bytes(2)), Interrupted);
  client.close();

  await writing;
});

Deno.test("MemoryConn.readable gives the bytes and closes the conn at their end", async () => {
  const [client, server] = memoryConnPair();
  await client.write(bytes(1, 2));
  await client.closeWrite();

  const chunks = await Array.fromAsync(server.readable);

  assertEquals(chunks, [bytes(1, 2)]);
  assertThrows(() => server.close(), BadResource);
});

Deno.test("MemoryConn.readable closes the conn when it is cancelled", async () => {
  const [client, server] = memoryConnPair();

  await server.readable.cancel();

  assertEquals(await read(client), null);
});

Deno.test("MemoryConn.writable writes everything however little a write takes", async () => {
  const [client, server] = memoryConnPair({ chunkBytes: 1 });

  const writer = client.writable.getWriter();
  await writer.write(bytes(1, 2));
  await writer.close();

  assertEquals(await read(server), [1]);
  assertEquals(await read(server), [2]);
  assertEquals(await read(server), null);
  assertThrows(() => client.close(), BadResource);
});

Deno.test("MemoryConn.writable closes the conn when it is aborted", async () => {
  const [client, server] = memoryConnPair();

  await client.writable.abort();

  assertThrows(() => client.close(), BadResource);
  assertEquals(await server.read(new Uint8Array(1)), null);
});

Deno.test("MemoryConn behaves as a TCP conn where both can be asked", async (t) => {
  for (const [kind, connect] of Object.entries({ memory: memoryPair, tcp: tcpPair })) {
    await t.step(kind, async () => {
      const [a, b] = await connect();
      await a.write(bytes(1));
      assertEquals(await read(b), [1]);
      await a.closeWrite();
      assertEquals(await read(b), null);
      await b.write(bytes(2));
      assertEquals(await read(a), [2]);
      await assertRejects(() => a.write(bytes(3)), BrokenPipe);
      const reading = read(a).catch((error) => error);
      a.close();
      assertInstanceOf(await reading, Interrupted);
      await assertRejects(() => read(a), BadResource);
      assertThrows(() => a.close(), BadResource);
      a[Symbol.dispose]();
      b.close();
    });
  }
});

function memoryPair(): Promise<[Deno.Conn, Deno.Conn]> {
  return Promise.resolve(memoryConnPair());
}
