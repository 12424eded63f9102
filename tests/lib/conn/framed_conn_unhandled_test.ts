import { assertEquals } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { framesOf, utf8 } from "../../support/bytes.ts";
import { turns } from "../../support/turns.ts";

const gone = () => new Deno.errors.BrokenPipe("gone");

/** Lets nothing but `act` happen, and gives what it left unhandled. */
async function unhandledOf(act: () => unknown): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const take = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    reasons.push(event.reason);
  };
  addEventListener("unhandledrejection", take);
  await act();
  await turns(6);
  removeEventListener("unhandledrejection", take);
  return reasons;
}

const CALLS: Record<string, (conn: FramedConn) => Promise<unknown>> = {
  send: (conn) => conn.send("a"),
  sendBytes: (conn) => conn.sendBytes(utf8("a")),
  sendFrame: (conn) => conn.sendFrame(framesOf("a")),
  write: (conn) => conn.write(utf8("a")),
  flush: (conn) => conn.flush(),
  closeWrite: (conn) => conn.closeWrite(),
  receive: (conn) => conn.receive(),
  receiveBytes: (conn) => conn.receiveBytes(),
  read: (conn) => conn.read(new Uint8Array(1)),
  next: (conn) => conn[Symbol.asyncIterator]().next(),
  request: (conn) => conn.request("a"),
  discard: (conn) => conn.discard(),
};

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`FramedConn.${name}() that is not awaited is no unhandled rejection where the connection is lost`, async () => {
    const loses = (when = Promise.resolve()) =>
      new FramedConn(
        new ScriptedConn({
          reads: [when, gone()],
          writes: [Promise.resolve(), gone()],
        }),
        { highWaterMarkBytes: 1 },
      );
    const later = Promise.withResolvers<void>();
    const conns = [loses(), loses(), loses(), loses(later.promise)] as const;
    conns[2].send("first");
    // A read that is given up goes on, and finds that the connection is lost.
    const patience = new AbortController();
    conns[3].receive({ signal: patience.signal }).catch(() => {});
    await turns(1);
    patience.abort();
    later.resolve();
    await turns();

    const unhandled = await unhandledOf(() => {
      call(conns[0]);
      call(conns[1]);
      conns[1].abort();
      call(conns[2]);
      call(conns[2]);
      call(conns[3]);
    });

    // Whatever is called twice at once is the caller's mistake.
    const misuse = unhandled.filter((error) => error instanceof TypeError);
    assertEquals(unhandled.length, misuse.length);
  });
}

Deno.test("FramedConn.send() that is refused is an unhandled rejection where it is not awaited", async () => {
  const conn = new FramedConn(new ScriptedConn(), { maxBodyBytes: 3 });

  const unhandled = await unhandledOf(() => {
    conn.send("abcd");
    conn.sendBytes(utf8("abcd"));
  });

  assertEquals(unhandled.map((error) => error instanceof RangeError), [true, true]);
});
