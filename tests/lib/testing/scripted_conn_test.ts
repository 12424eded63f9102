import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

async function read(conn: Deno.Conn, atMost = 16): Promise<number[] | null> {
  const p = new Uint8Array(atMost);
  const n = await conn.read(p);
  return n === null ? null : [...p.subarray(0, n)];
}

Deno.test("ScriptedConn.read() gives the chunks one by one, then the end for ever", async () => {
  using conn = new ScriptedConn({ reads: [bytes(1, 2), bytes(), bytes(3), null] });

  assertEquals(await read(conn), [1, 2]);
  assertEquals(await read(conn), []);
  assertEquals(await read(conn), [3]);
  assertEquals(await read(conn), null);
  assertEquals(await read(conn), null);
});

Deno.test("ScriptedConn.read() gives a large chunk in parts", async () => {
  using conn = new ScriptedConn({ reads: [bytes(1, 2, 3), bytes(4)] });

  assertEquals(await read(conn, 2), [1, 2]);
  assertEquals(await read(conn, 2), [3]);
  assertEquals(await read(conn, 2), [4]);
});

Deno.test("ScriptedConn.read() rejects with the error of the script and goes on after it", async () => {
  const reset = new Deno.errors.ConnectionReset("reset");
  using conn = new ScriptedConn({ reads: [reset, bytes(1)] });

  const error = await assertRejects(() => read(conn));

  assertStrictEquals(error, reset);
  assertEquals(await read(conn), [1]);
});

Deno.test("ScriptedConn.read() waits until a promise of the script settles", async () => {
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  using conn = new ScriptedConn({ reads: [gate.promise, bytes(1), Promise.reject(), null] });

  const reading = read(conn).then(() => order.push("read"));
  for (let turn = 0; turn < 20; turn++) await null;
  order.push("released");
  gate.resolve();
  await reading;

  assertEquals(order, ["released", "read"]);
  assertEquals(await read(conn), null);
});

Deno.test("ScriptedConn.read() after the script waits until close() interrupts it", async () => {
  const conn = new ScriptedConn();

  const reading = assertRejects(() => read(conn), Deno.errors.Interrupted);
  conn.close();

  await reading;
});

Deno.test("ScriptedConn.write() records everything when there is no script", async () => {
  using conn = new ScriptedConn();

  assertEquals(await conn.write(bytes(1, 2)), 2);
  assertEquals(await conn.write(bytes(3)), 1);

  assertEquals(conn.writes, [bytes(1, 2), bytes(3)]);
  assertEquals(conn.written, bytes(1, 2, 3));
});

Deno.test("ScriptedConn.write() takes as much as the script says", async () => {
  using conn = new ScriptedConn({ writes: [1, 0, 9] });

  assertEquals(await conn.write(bytes(1, 2, 3)), 1);
  assertEquals(await conn.write(bytes(2, 3)), 0);
  assertEquals(await conn.write(bytes(2, 3)), 2);
  assertEquals(await conn.write(bytes(4, 5)), 2);

  assertEquals(conn.written, bytes(1, 2, 3, 4, 5));
});

Deno.test("ScriptedConn.write() follows an endless script", async () => {
  function* oneByte() {
    for (;;) yield 1;
  }
  using conn = new ScriptedConn({ writes: oneByte() });

  for (let at = 0; at < 100; at++) assertEquals(await conn.write(bytes(at, 0)), 1);

  assertEquals(conn.written.length, 100);
});

Deno.test("ScriptedConn.write() rejects with the error of the script", async () => {
  using conn = new ScriptedConn({ writes: [2, new Deno.errors.BrokenPipe("gone")] });

  await conn.write(bytes(1, 2, 3));

  await assertRejects(() => conn.write(bytes(3)), Deno.errors.BrokenPipe, "gone");
  assertEquals(conn.written, bytes(1, 2));
});

Deno.test("ScriptedConn.write() blocks until it is released, or interrupted by close()", async () => {
  const gate = Promise.withResolvers<void>();
  const conn = new ScriptedConn({ writes: [gate.promise, 1, new Promise(() => {})] });

  const first = conn.write(bytes(1));
  gate.resolve();
  assertEquals(await first, 1);

  const second = assertRejects(() => conn.write(bytes(2)), Deno.errors.Interrupted);
  conn.close();
  await second;
});

Deno.test("ScriptedConn.write() blocks every write until the promise settles", async () => {
  const gate = Promise.withResolvers<void>();
  using conn = new ScriptedConn({ writes: [gate.promise] });

  const writing = Promise.all([conn.write(bytes(1)), conn.write(bytes(2))]);
  for (let turn = 0; turn < 20; turn++) await null;
  assertEquals(conn.writes, []);
  gate.resolve();
  await writing;

  assertEquals(conn.written, bytes(1, 2));
});

Deno.test("ScriptedConn.writeClosed tells of closeWrite()", async () => {
  using conn = new ScriptedConn();
  assertEquals(conn.writeClosed, false);

  await conn.closeWrite();

  assertEquals(conn.writeClosed, true);
  await assertRejects(() => conn.write(bytes(1)), Deno.errors.BrokenPipe);
});

Deno.test("ScriptedConn has the peer's address that it is given", () => {
  using conn = new ScriptedConn({ remoteHostname: "192.0.2.7" });

  assertEquals(conn.remoteAddr.hostname, "192.0.2.7");
});
