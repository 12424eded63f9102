import { assertEquals } from "@std/assert";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { isPending } from "../../support/turns.ts";

Deno.test("FramedConn.closeRead() ends a pending read() with null, and every later one", async () => {
  const [a, b] = memoryConnPair();
  using client = new FramedConn(a);
  using server = new FramedConn(b);
  const reading = server.read(new Uint8Array(1));

  server.closeRead();
  await client.send("late");
  await client.flush();

  assertEquals([await reading, await server.read(new Uint8Array(1))], [null, null]);
  assertEquals(internalsOf(server).finished, false);
});

Deno.test("FramedConn.readClosed settles at closeRead(), also when nobody receives", async () => {
  const [a, b] = memoryConnPair();
  using _client = new FramedConn(a);
  using server = new FramedConn(b);
  const closed = server.readClosed;
  assertEquals(await isPending(closed), true);

  server.closeRead();

  assertEquals([await closed, await server.readClosed], [undefined, undefined]);
});

Deno.test("FramedConn.discard() drops what comes until the peer has finished", async () => {
  const [a, b] = memoryConnPair();
  using client = new FramedConn(a);
  using server = new FramedConn(b);
  const discarded = server.discard();
  await client.send("x".repeat(200_000));
  assertEquals(await isPending(discarded), true);

  await client.closeWrite();

  await discarded;
  assertEquals(internalsOf(server).finished, true);
});

Deno.test("internalsOf().finished tells of the peer, not of a close on this side", async () => {
  const [a, b] = memoryConnPair();
  using _client = new FramedConn(a);
  const server = new FramedConn(b);
  const reading = server.read(new Uint8Array(1)).catch(() => {});
  assertEquals(await isPending(reading), true);

  server.close();
  assertEquals(await isPending(reading), false);

  assertEquals(internalsOf(server).finished, false);
});
