import { assertEquals, assertRejects } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn } from "../../../lib/conn/scripted_conn.ts";
import { concat, framesOf, utf8 } from "../../support/bytes.ts";
import { tcpPair } from "../../support/loopback.ts";
import { isPending, turns } from "../../support/turns.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("FramedConn.read() first gives the bytes that a receive() has read, then those that arrive", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  using conn = new FramedConn(tcp);
  await peer.write(concat(framesOf("framed"), utf8("raw")));
  assertEquals(await conn.receive(), "framed");
  const p = new Uint8Array(2);

  assertEquals([await conn.read(p), text(p)], [2, "ra"]);
  assertEquals([await conn.read(p), text(p.subarray(0, 1))], [1, "w"]);
  const next = conn.read(p);
  assertEquals(await isPending(next), true);
  await peer.write(utf8("!"));
  assertEquals([await next, p[0]], [1, 33]);
  peer.closeWrite();
  assertEquals(await conn.read(p), null);
});

Deno.test("FramedConn.receive() goes on after read() took whole frames", async () => {
  const [a, b] = memoryConnPair();
  const conn = new FramedConn(a);
  await b.write(framesOf("ab", "cd", "ef"));
  const p = new Uint8Array(6);

  await conn.read(p);

  assertEquals([p, await conn.receive()], [framesOf("ab"), "cd"]);
});

Deno.test("FramedConn.read() rejects with BadResource once the connection is closed", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  const conn = new FramedConn(tcp);
  conn.close();

  await assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.BadResource);
  await assertRejects(() => conn.write(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("FramedConn.close() interrupts a pending read()", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  const conn = new FramedConn(tcp);
  const reading = assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.Interrupted);
  await turns();

  conn.close();

  await reading;
});

Deno.test("FramedConn.write() takes everything, in order with what is sent", async () => {
  const scripted = new ScriptedConn({ writes: Array(1000).fill(1) });
  const conn = new FramedConn(scripted);
  const raw = utf8("raw");

  conn.send("a");
  const written = conn.write(raw);
  raw.fill(0);
  conn.send("b");
  await conn.flush();

  assertEquals(await written, 3);
  assertEquals(scripted.written, concat(framesOf("a"), utf8("raw"), framesOf("b")));
});

Deno.test("FramedConn.write() waits above the high-water mark", async () => {
  const [a, b] = memoryConnPair({ highWaterMarkBytes: 10 });
  const conn = new FramedConn(a, { highWaterMarkBytes: 20 });

  const written = conn.write(new Uint8Array(30));
  assertEquals(await isPending(written), true);
  const p = new Uint8Array(30);
  for (let at = 0; at < 30;) at += (await b.read(p))!;

  assertEquals(await written, 30);
});
