import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import type { FramedConnOptions } from "../../../lib/conn/conn_options.ts";
import { internalsOf } from "../../../lib/conn/byte_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { ScriptedConn, type ScriptedWrite } from "../../../lib/testing/scripted_conn.ts";
import { framesOf } from "../../support/bytes.ts";
import { isPending, passTime, turns } from "../../support/turns.ts";

const { BadResource, TimedOut } = Deno.errors;

/** A peer that takes what `writes` say, and sends nothing. */
function slowPeer(writes: Iterable<ScriptedWrite>, options: FramedConnOptions = {}): FramedConn {
  return new FramedConn(new ScriptedConn({ writes }), { sendTimeoutMs: 1000, ...options });
}

const never = () => new Promise(() => {});

Deno.test("FramedConn.receive() times out when no byte comes, never early, and the next one starts anew", async () => {
  using time = new FakeTime();
  const gate = Promise.withResolvers<void>();
  const reads = [gate.promise, framesOf("a")];
  using conn = new FramedConn(new ScriptedConn({ reads }), { idleTimeoutMs: 1000 });

  for (let i = 0; i < 2; i++) {
    const received = assertRejects(() => conn.receive(), TimedOut, "for 1000 ms");
    await passTime(time, 999);
    assertEquals(await isPending(received), true);
    await passTime(time, 251);
    await received;
    await passTime(time, 7777);
  }

  assertEquals(internalsOf(conn).lost, false);
  gate.resolve();
  assertEquals(await conn.receive(), "a");
});

Deno.test("FramedConn.receive() waits on while bytes come, one by one", async () => {
  using time = new FakeTime();
  const bytes = [...framesOf("slow")];
  const gates = bytes.map(() => Promise.withResolvers<void>());
  const reads = bytes.flatMap((byte, i) => [gates[i]!.promise, new Uint8Array([byte])]);
  using conn = new FramedConn(new ScriptedConn({ reads }), { idleTimeoutMs: 1000 });

  const received = conn.receive();
  for (const gate of gates) {
    await passTime(time, 990);
    gate.resolve();
  }

  assertEquals(await received, "slow");
});

Deno.test("FramedConn.receive() does not wait for ever for a message whose bytes come one by one", async () => {
  using time = new FakeTime();
  const [near, far] = memoryConnPair();
  using peer = far;
  using conn = new FramedConn(near, { idleTimeoutMs: 1000 });
  const send = async (bytes: Uint8Array) => {
    for (const byte of bytes) {
      await peer.write(new Uint8Array([byte]));
      await passTime(time, 500);
    }
  };

  // Each of them is whole in time, and the next has as long again.
  for (let i = 0; i < 3; i++) {
    const received = conn.receive();
    await send(framesOf("in time"));
    assertEquals(await received, "in time");
  }
  const received = assertRejects(() => conn.receive(), TimedOut, "no whole message for 12000 ms");
  await send(framesOf("x".repeat(40)).subarray(0, 36));

  await received;
});

Deno.test("FramedConn.receive({ signal }) that is given up again and again does not put off the idle limit", async () => {
  using time = new FakeTime();
  using conn = new FramedConn(new ScriptedConn(), { idleTimeoutMs: 1000 });
  const errors: unknown[] = [];
  for (let i = 0; i < 13; i++) {
    const patience = new AbortController();
    conn.receive({ signal: patience.signal }).catch((error) => errors.push(error));
    await passTime(time, 100);
    patience.abort("given up");
    await turns();
  }

  assertEquals(errors.filter((error) => error === "given up").length, 12);
  assertEquals(errors.filter((error) => error instanceof TimedOut).length, 1);
});

Deno.test("FramedConn is lost when the peer takes nothing for sendTimeoutMs, and all that waits is told so", async () => {
  using time = new FakeTime();
  const conn = slowPeer([never()], { highWaterMarkBytes: 1 });
  const received = conn.receive().catch((error) => error);
  const sent = conn.send("a").catch((error) => error);

  await passTime(time, 999);
  assert(await isPending(sent));
  await passTime(time, 251);

  const error = await sent;
  assertInstanceOf(error, TimedOut);
  assertEquals(error.message, "Cannot send: the peer took nothing for 1000 ms");
  assertEquals([await received, internalsOf(conn).lost, internalsOf(conn).failedWith(error)], [
    error,
    true,
    true,
  ]);
  for (const call of [() => conn.send("b"), () => conn.flush(), () => conn.closeWrite()]) {
    assertEquals(await call().catch((error) => error), error);
  }
  assertEquals(await conn.receive(), null);
  conn.close();
  await internalsOf(conn).released;
});

Deno.test("FramedConn that nothing waits for is lost too: the next receive() rejects", async () => {
  using time = new FakeTime();
  using conn = slowPeer([never()]);
  conn.send("a");

  await passTime(time, 1250, 1250);

  assertEquals(conn.queuedBytes, 0);
  await assertRejects(() => conn.receive(), TimedOut);
  assertEquals(await conn.receive(), null);
});

Deno.test("FramedConn with sendTimeoutMs lives on while a peer takes a byte now and then", async () => {
  using time = new FakeTime();
  const [near, far] = memoryConnPair({ chunkBytes: 1, highWaterMarkBytes: 1 });
  using conn = new FramedConn(near, { sendTimeoutMs: 1000 });
  const sent = conn.send("ab");
  const flushed = conn.flush();
  for (let i = 0; i < 5; i++) {
    await passTime(time, 990);
    assertEquals(await far.read(new Uint8Array(9)), 1);
  }

  await flushed;
  await sent;
  await passTime(time, 60_000);
  assertEquals([internalsOf(conn).lost, conn.writtenBytes], [false, 6]);
});

Deno.test("FramedConn with sendTimeoutMs ends what waits for a half-closed peer, and a closeWrite() that hangs", async () => {
  using time = new FakeTime();
  const halfClosed = new ScriptedConn({ reads: [null], writes: [never()] });
  using first = new FramedConn(halfClosed, { sendTimeoutMs: 1000 });
  assertEquals(await first.receive(), null);
  first.send("answer");
  const flushed = first.flush();

  const hanging = new ScriptedConn();
  const closed = Promise.withResolvers<void>();
  hanging.closeWrite = () => closed.promise;
  hanging.close = () => closed.reject(new BadResource("closed"));
  using second = new FramedConn(hanging, { sendTimeoutMs: 1000 });
  const finished = second.closeWrite();

  await passTime(time, 1250, 1250);

  await assertRejects(() => flushed, TimedOut);
  await assertRejects(() => finished, TimedOut);
});

Deno.test("FramedConn with sendTimeoutMs leaves no timer behind", async () => {
  using time = new FakeTime();
  const conns = [slowPeer([]), slowPeer([never()]), slowPeer([never()])];
  conns.forEach((conn) => conn.send("a"));
  await turns();

  conns[0]!.close();
  conns[1]!.abort();
  await passTime(time, 1250, 1250);

  assertEquals(time.next(), false);
  conns[2]!.close();
});

Deno.test("FramedConn has no timer of sendTimeoutMs while nothing is to be written", async () => {
  using time = new FakeTime();
  const [end, otherEnd] = memoryConnPair();
  using _ = new FramedConn(otherEnd);
  using conn = new FramedConn(end, { sendTimeoutMs: 1000 });
  assertEquals(time.next(), false);

  conn.send("text");
  await conn.flush();
  assertEquals(time.next(), true);

  assertEquals(time.next(), false);
});
