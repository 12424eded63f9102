import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { passTime, turns } from "../../support/turns.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

const REASON = new Error("given up");

/** Two ends; what the first sends waits, because the second takes nothing yet. */
function slowPair() {
  const [near, far] = memoryConnPair({ highWaterMarkBytes: 4 });
  return { conn: new FramedConn(near, { highWaterMarkBytes: 1 }), peer: new FramedConn(far) };
}

const calls: Record<string, (conn: FramedConn, signal: AbortSignal) => Promise<unknown>> = {
  send: (conn, signal) => conn.send("a text", { signal }),
  sendBytes: (conn, signal) => conn.sendBytes(new TextEncoder().encode("a text"), { signal }),
  sendFrame: (conn, signal) =>
    conn.sendFrame(new TextEncoder().encode("\0\0\0\x06a text"), { signal }),
  flush: (conn, signal) => (conn.send("a text"), conn.flush({ signal })),
  closeWrite: (conn, signal) => (conn.send("a text"), conn.closeWrite({ signal })),
  request: (conn, signal) => conn.request("a text", { signal }),
};
for (const [name, call] of Object.entries(calls)) {
  Deno.test(`FramedConn.${name}({ signal }) gives up waiting, and the text leaves as a whole`, async () => {
    const { conn, peer } = slowPair();
    const giving = new AbortController();
    const waiting = assertRejects(() => call(conn, giving.signal), Error, REASON.message);
    await turns();

    giving.abort(REASON);
    await waiting;

    assertEquals(await peer.receive(), "a text");
    if (name !== "closeWrite") await conn.closeWrite();
    assertEquals(await peer.receive(), null);
    conn.close();
    peer.close();
  });
}

for (const name of ["send", "sendBytes", "sendFrame", "request"]) {
  Deno.test(`FramedConn.${name}({ signal }) that has aborted before sends nothing`, async () => {
    const { conn, peer } = slowPair();

    const call = () => calls[name]!(conn, AbortSignal.abort(REASON));
    await assertRejects(call, Error, REASON.message);

    assertEquals(conn.queuedBytes, 0);
    conn.close();
    assertEquals(await peer.receive(), null);
    peer.close();
  });
}

Deno.test("FramedConn.discard({ signal }) gives up waiting for the peer's end", async () => {
  const { conn, peer } = slowPair();
  const giving = new AbortController();
  const waiting = assertRejects(() => conn.discard({ signal: giving.signal }), Error);

  giving.abort(REASON);

  await waiting;
  conn.close();
  peer.close();
});

Deno.test("FramedConn with messageTimeoutMs ends a message that drips, and none that comes with 1 KB a second", async () => {
  using time = new FakeTime();
  for (const [bytes, expected] of [[1, "TimedOut"], [600, "pending"]] as const) {
    const [near, peer] = memoryConnPair();
    const conn = new FramedConn(near, { messageTimeoutMs: 1000 });
    let outcome = "pending";
    conn.receive().then(() => outcome = "received", (error) => outcome = error.name);

    await peer.write(new Uint8Array([0, 0x0f, 0, 0]));
    for (let i = 0; i < 20 && outcome === "pending"; i++) {
      await peer.write(new Uint8Array(bytes));
      await passTime(time, 250);
    }

    assertEquals(outcome, expected);
    conn.close();
    peer.close();
  }
});

Deno.test("FramedConn keeps the connection alive by default, and not where that is not wanted", () => {
  for (const [options, expected] of [[{}, [true]], [{ keepAlive: false }, []]] as const) {
    const [near] = memoryConnPair();
    const kept: boolean[] = [];
    const socket = Object.assign(near, {
      setNoDelay: () => {},
      setKeepAlive: (on: boolean) => void kept.push(on),
    });

    new FramedConn(socket, options).close();

    assertEquals(kept, [...expected]);
  }
});

Deno.test("FramedConn.close() does not throw what the wrapped connection's close throws", () => {
  const [near] = memoryConnPair();
  const conn = new FramedConn(Object.assign(near, {
    close: () => {
      throw new Error("closed by another");
    },
  }));

  conn.close();

  assertEquals(conn.closed, true);
});
