import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { messageOf, readable } from "../../../lib/base/thrown.ts";
import { ODD_VALUES } from "../base/odd_values.ts";
import { turns } from "../../support/turns.ts";
import { AcceptLoop } from "../../../lib/server/accept_loop.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

/** A listener whose accepts a test settles. */
class ScriptedListener {
  readonly addr = { transport: "tcp" as const, hostname: "127.0.0.1", port: 9090 };
  accepting: PromiseWithResolvers<Deno.Conn> = Promise.withResolvers();
  closed = 0;

  accept(): Promise<Deno.Conn> {
    this.accepting = Promise.withResolvers();
    return this.accepting.promise;
  }

  close(): void {
    this.closed++;
    this.accepting.reject(new Deno.errors.BadResource("Listener has been closed"));
  }
}

function acceptFrom(listener: ScriptedListener) {
  const told: string[] = [];
  const loop = new AcceptLoop(listener as unknown as Deno.TcpListener, {
    onConn: () => void told.push("conn"),
    onFailed: (error) => told.push((error as Error & { code: string }).code),
    onClosed: () => told.push("closed"),
  });
  return { loop, told };
}

const outOfDescriptors = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });

Deno.test("AcceptLoop tries again every 100 ms while accept fails", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  const { loop, told } = acceptFrom(listener);

  for (let i = 0; i < 3; i++) {
    const failing = listener.accepting;
    failing.reject(outOfDescriptors());
    await turns();
    time.tick(99);
    await turns();
    assertEquals(listener.accepting === failing, true);
    time.tick(1);
    await turns();
  }
  listener.accepting.resolve(memoryConnPair()[1]);
  await turns();

  assertEquals(told, ["EMFILE", "conn"]);
  await loop.close();
});

for (const kind of ["NotConnected", "ConnectionAborted", "ConnectionReset"] as const) {
  Deno.test(`AcceptLoop goes on at once when a peer has left before it was accepted (${kind})`, async () => {
    const listener = new ScriptedListener();
    const { loop, told } = acceptFrom(listener);

    for (let i = 0; i < 3; i++) {
      listener.accepting.reject(new Deno.errors[kind]("the peer has left"));
      await turns();
    }
    listener.accepting.resolve(memoryConnPair()[1]);
    await turns();

    assertEquals(told, ["conn"]);
    await loop.close();
  });
}

Deno.test("AcceptLoop outlives an onConn that throws", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  const failed: unknown[] = [];
  const loop = new AcceptLoop(listener as unknown as Deno.TcpListener, {
    onConn: () => {
      throw "no";
    },
    onFailed: (error) => failed.push(error),
    onClosed: () => {},
  });

  for (let i = 0; i < 2; i++) {
    listener.accepting.resolve(memoryConnPair()[1]);
    await turns();
    time.tick(100);
    await turns();
  }

  assertEquals(failed, ["no", "no"]);
  await loop.close();
});

Deno.test("AcceptLoop.close() ends the loop, once", async () => {
  const listener = new ScriptedListener();
  const { loop, told } = acceptFrom(listener);

  await Promise.all([loop.close(), loop.close(), loop.ended]);
  await loop.close();

  assertEquals([loop.closed, listener.closed, told], [true, 1, ["closed"]]);
});

Deno.test("AcceptLoop.close() does not wait for the next try", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  const { loop, told } = acceptFrom(listener);

  listener.accepting.reject(outOfDescriptors());
  await turns();
  await loop.close();

  assertEquals(told, ["EMFILE", "closed"]);
  assertEquals(time.next(), false);
});

Deno.test("AcceptLoop.close() still hands over a connection that was accepted before", async () => {
  const listener = new ScriptedListener();
  const { loop, told } = acceptFrom(listener);

  listener.accepting.resolve(memoryConnPair()[1]);
  await loop.close();

  assertEquals(told, ["conn", "closed"]);
});

Deno.test("AcceptLoop tells each reason once, and again after a connection came", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  const { loop, told } = acceptFrom(listener);
  const other = Object.assign(new Error("Aborted"), { code: "ECONNABORTED" });

  for (const next of [outOfDescriptors(), outOfDescriptors(), other, "conn", outOfDescriptors()]) {
    const { accepting } = listener;
    if (next === "conn") accepting.resolve(memoryConnPair()[1]);
    else accepting.reject(next);
    await turns();
    await time.tickAsync(100);
    await turns();
  }

  assertEquals(told, ["EMFILE", "ECONNABORTED", "conn", "EMFILE"]);
  await loop.close();
});

Deno.test("AcceptLoop lets the event loop have a turn after 32 refused peers in a row", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  let accepted = 0;
  const loop = new AcceptLoop(listener as unknown as Deno.TcpListener, {
    onConn: () => ++accepted > 32,
    onFailed: () => {},
    onClosed: () => {},
  });

  for (let i = 0; i < 40; i++) {
    listener.accepting.resolve(memoryConnPair()[1]);
    await turns(1);
  }
  const atOnce = accepted;
  await time.tickAsync(0);
  await turns();
  listener.accepting.resolve(memoryConnPair()[1]);
  await turns();

  assertEquals([atOnce, accepted], [32, 33]);
  await loop.close();
});

Deno.test("AcceptLoop tries again whatever accept rejects with", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  const failures: unknown[] = [];
  const loop = new AcceptLoop(listener, {
    onConn: () => {},
    onFailed: (error) => failures.push(error),
    onClosed: () => {},
  });

  for (const thrown of Object.values(ODD_VALUES)) {
    listener.accepting.reject(thrown);
    await turns();
    time.tick(100);
    await turns();
  }

  assertEquals(failures.map(messageOf), Object.values(ODD_VALUES).map(readable).map(messageOf));
  await loop.close();
});

Deno.test("AcceptLoop lets the event loop have a turn after 32 peers that had left", async () => {
  using time = new FakeTime();
  let accepts = 0;
  const loop = new AcceptLoop({
    addr: new ScriptedListener().addr,
    accept: () => Promise.reject(new Deno.errors.ConnectionReset(`reset ${++accepts}`)),
    close: () => {},
  }, { onConn: () => {}, onFailed: () => {}, onClosed: () => {} });

  await turns();
  const atOnce = accepts;
  await time.tickAsync(0);
  await turns();

  assertEquals([atOnce, accepts], [32, 64]);
  await loop.close();
});

Deno.test("AcceptLoop tries again when accept throws at once, and closes whatever close does", async () => {
  using time = new FakeTime();
  const told: unknown[] = [];
  const loop = new AcceptLoop({
    addr: new ScriptedListener().addr,
    accept() {
      throw "not now";
    },
    close: () => Promise.reject(new Error("not now either")),
  }, {
    onConn: () => {},
    onFailed: (error) => told.push(error),
    onClosed: () => told.push("closed"),
  });

  await time.tickAsync(1000);
  assertEquals(told, ["not now"]);
  await loop.close();

  assertEquals(told, ["not now", "closed"]);
});

Deno.test("AcceptLoop.close() waits a second for an accept that does not end, and closes what it gives later", async () => {
  using time = new FakeTime();
  const listener = new ScriptedListener();
  listener.close = () => {
    throw new Error("no");
  };
  const { loop, told } = acceptFrom(listener);

  const closing = loop.close();
  await time.tickAsync(999);
  assertEquals(told, []);
  await time.tickAsync(1);
  await closing;
  const [client, late] = memoryConnPair();
  listener.accepting.resolve(late);

  assertEquals(await client.read(new Uint8Array(1)), null);
  assertEquals(told, ["closed"]);
});

Deno.test("AcceptLoop closes a connection that could not be handed over", async () => {
  using _time = new FakeTime();
  const listener = new ScriptedListener();
  const loop = new AcceptLoop(listener as unknown as Deno.TcpListener, {
    onConn: () => {
      throw "no";
    },
    onFailed: () => {},
    onClosed: () => {},
  });

  const [client, accepted] = memoryConnPair();
  listener.accepting.resolve(accepted);

  assertEquals(await client.read(new Uint8Array(1)), null);
  await loop.close();
});
