import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
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

Deno.test("FramedConn.close() interrupts a pending read(), and later ones reject with BadResource", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  const conn = new FramedConn(tcp);
  const reading = assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.Interrupted);
  await turns();
  conn.close();

  await reading;
  await assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.BadResource);
  await assertRejects(() => conn.write(new Uint8Array(1)), Deno.errors.BadResource);
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

Deno.test("FramedConn is a Deno.Conn: addresses, ref and unref are those of the wrapped one", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  const calls: string[] = [];
  tcp.ref = () => calls.push("ref");
  tcp.unref = () => calls.push("unref");
  using conn: Deno.Conn = new FramedConn(tcp);

  conn.unref();
  conn.ref();

  assertEquals([conn.localAddr, conn.remoteAddr], [tcp.localAddr, peer.localAddr]);
  assertEquals(calls, ["unref", "ref"]);
});

Deno.test("FramedConn.readable gives what is buffered and what arrives, and its end leaves sending open", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  using conn = new FramedConn(tcp);
  await peer.write(concat(framesOf("framed"), utf8("raw")));
  assertEquals(await conn.receive(), "framed");
  await peer.write(utf8(" bytes"));
  await peer.closeWrite();

  let all = "";
  for await (const chunk of conn.readable) all += text(chunk);
  await conn.send("answer");
  await conn.flush();

  assertEquals(all, "raw bytes");
  const p = new Uint8Array(99);
  assertEquals(await peer.read(p), 10);
  assertStrictEquals(conn.readable, conn.readable);
});

Deno.test("FramedConn.writable writes in order with what is sent, and its end is closeWrite()", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  using conn = new FramedConn(tcp);
  conn.send("a");
  const writer = conn.writable.getWriter();

  await writer.write(utf8("raw"));
  await writer.close();

  const received: Uint8Array[] = [];
  const p = new Uint8Array(99);
  for (let n; (n = await peer.read(p)) !== null;) received.push(p.slice(0, n));
  assertEquals(concat(...received), concat(framesOf("a"), utf8("raw")));
  await peer.write(framesOf("still open"));
  assertEquals(await conn.receive(), "still open");
});

Deno.test("FramedConn.readable piped to writable echoes bytes", async () => {
  const [tcp, peer] = await tcpPair();
  using _peer = peer;
  using conn = new FramedConn(tcp);
  const echoing = conn.readable.pipeTo(conn.writable);
  const sent = new Uint8Array(300_000).map((_, i) => i);

  (async () => {
    for (let at = 0; at < sent.length;) at += await peer.write(sent.subarray(at));
    await peer.closeWrite();
  })();
  const received: Uint8Array[] = [];
  const p = new Uint8Array(65_536);
  for (let n; (n = await peer.read(p)) !== null;) received.push(p.slice(0, n));
  await echoing;

  assertEquals(concat(...received), sent);
});

Deno.test("FramedConn's streams close the connection when they are given up", async () => {
  for (const end of ["readable", "writable"] as const) {
    const [near, far] = memoryConnPair();
    const conn = new FramedConn(near);
    assertStrictEquals(conn[end], conn[end]);

    await (end === "readable" ? conn.readable.cancel() : conn.writable.abort());

    assertEquals([conn.closed, await far.read(new Uint8Array(1))], [true, null]);
  }
});
