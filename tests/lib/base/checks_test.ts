import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkLimits } from "../../../lib/base/checks.ts";
import * as mod from "../../../mod.ts";
import type { FramedConn as Conn, HandlerInfo } from "../../../mod.ts";
import { memoryConnPair, memoryListener, testHandler } from "../../../testing.ts";

Deno.test("checkLimits() names the limit that is not a number from 0", () => {
  checkLimits("serve", { a: 0, b: Infinity, c: undefined });
  for (const bad of [-1, NaN, "5" as never, null as never]) {
    const message = `Cannot serve: b is ${bad}. Give a number from 0`;
    assertThrows(() => checkLimits("serve", { a: 1, b: bad }), RangeError, message);
  }
  assertThrows(() => checkLimits("serve", { a: 0.5 }, 1), RangeError, "Give a number from 1");
});

// As a program in JavaScript calls it.
// deno-lint-ignore no-explicit-any
const { FramedConn, Outbox, Reconnector, RequestClient, Room, TokenBucket, TypedConn }: any = mod;
// deno-lint-ignore no-explicit-any
const { bytes, encodeFrame, json, serve, serveRequests }: any = mod;

const handler = () => {};
const framed = () => new FramedConn(memoryConnPair()[0]);

const REFUSED: [call: () => unknown, message: string][] = [
  [() => serve(), "Cannot serve: handler is undefined. Give a function"],
  [() => serve({ port: 0 }), "Cannot serve: handler is an Object. Give a function"],
  [() => serve(handler, null), "Cannot serve: options is null. Give an object"],
  [() => serve(handler, { onEvent: 5 }), "Cannot serve: onEvent is a number. Give a function"],
  [() => serve(handler, { onSent: {} }), "Cannot serve: onSent is an Object. Give a function"],
  [() => serve(handler, { goodbye: "bye" }), "Cannot serve: goodbye is a string. Give a function"],
  [() => serve(handler, { signal: 5 }), "Cannot serve: signal is a number. Give an AbortSignal"],
  [() => serve(handler, { path: "" }), "Cannot listen: path is empty"],
  [() => serve(handler, { path: 7 }), "Cannot listen: path is a number. Give a string"],
  [() => serve(handler, { hostname: 7 }), "Cannot listen: hostname is a number. Give a string"],
  [() => serve(handler, { cert: 5, key: 5 }), "with TLS: cert is a number. Give a string"],
  [() => serve(handler, { port: "0" }), "Cannot listen on port 0: give a whole number"],
  [() => testHandler("x" as never), "Cannot serve: handler is a string. Give a function"],
  [() => new FramedConn(), "Cannot frame a connection: conn is undefined. Give an object"],
  [() => new FramedConn({}), "Cannot frame a connection: conn has no read()"],
  [() => new FramedConn(memoryConnPair()[0], 5), "options is a number. Give an object"],
  [() => new Outbox(), "Cannot make an outbox: conn is undefined. Give an object"],
  [() => new Outbox({}, {}), "Cannot make an outbox: conn has no sendFrame()"],
  [() => new Outbox(framed(), {}), "onOverflow is undefined. Give a function"],
  [
    () => new Outbox(framed(), { onOverflow: handler }).deliver("x"),
    "Cannot use a string as bytes",
  ],
  [() => framed().sendFrame([0, 0, 0, 0]), "Cannot use an Array as bytes: give a Uint8Array"],
  [() => new Room().join({ name: "a", key: "a" }), "Cannot join: member has no deliver()"],
  [() => framed().sendFrame(new Uint8Array(3)), "Cannot send 3 bytes as a frame: give what"],
  [() => framed().sendFrame(new Uint8Array(5)), "Cannot send 5 bytes as a frame: give what"],
  [() => new Room(null), "Cannot make a room: options is null. Give an object"],
  [() => new Room({ onUserLeft: 5 }), "Cannot make a room: onUserLeft is a number"],
  [() => serve(handler, { listener: { addr: null } }), "Cannot listen: listener has no accept()"],
  [() => serve(handler, { path: "a\0b" }), "Cannot listen: path has a NUL character"],
  [() => memoryConnPair({ clientHostname: 5 as never }), "clientHostname is a number"],
  [() => new Reconnector(), "Cannot reconnect: open is undefined. Give a function"],
  [() => new Reconnector(handler, { onWait: 5 }), "Cannot reconnect: onWait is a number"],
  [() => new Reconnector(handler, { signal: {} }), "signal is an Object. Give an AbortSignal"],
  [() => new RequestClient(framed()), "Cannot request: options is undefined. Give an object"],
  [() => new RequestClient(framed(), {}), "Cannot request: validate is undefined. Give a function"],
  [() => new TokenBucket(), "Cannot fill a bucket: options is undefined. Give an object"],
  [() => new TypedConn(framed(), {}), "Cannot use a codec: codec has no encode()"],
  [() => new TypedConn({}, bytes), "Cannot use a codec: conn has no receiveBytes()"],
  [() => json(), "Cannot use JSON: validate is undefined. Give a function"],
  [() => encodeFrame(5), "Cannot send a number as a text: give a string"],
];

for (const [call, message] of REFUSED) {
  Deno.test(`${call.toString().slice(6)} is refused at once`, () => {
    const error = assertThrows(call, Error, message);
    assertEquals(error instanceof TypeError || error instanceof RangeError, true);
  });
}

// deno-lint-ignore no-explicit-any
const REJECTED: [call: (conn: any) => Promise<unknown>, message: string][] = [
  [(conn) => conn.send(5), "Cannot send a number as a text: give a string"],
  [(conn) => conn.send(), "Cannot send undefined as a text: give a string"],
  [(conn) => conn.request(null), "Cannot send null as a text: give a string"],
  [(conn) => conn.sendBytes("text"), "Cannot use a string as bytes: give a Uint8Array"],
  [(conn) => conn.write(), "Cannot use undefined as bytes: give a Uint8Array"],
  [(conn) => conn.writable.getWriter().write(new ArrayBuffer(8)), "Cannot use an ArrayBuffer as"],
  [(conn) => conn.read(5), "Cannot use a number as bytes: give a Uint8Array"],
  [(conn) => conn.receive({ signal: 5 }), "signal is a number. Give an AbortSignal"],
  [(conn) => conn.send("a", { signal: {} }), "signal is an Object. Give an AbortSignal"],
  [(conn) => conn.request("a", { signal: "x" }), "signal is a string. Give an AbortSignal"],
  [(conn) => serveRequests(conn, 5), "Cannot serve requests: options is undefined"],
  [(conn) => serveRequests(conn, 5, {}), "Cannot serve requests: handler is a number"],
];

for (const [call, message] of REJECTED) {
  Deno.test(`${call.toString().slice(10)} is refused, and the connection lives on`, async () => {
    const [near, far] = memoryConnPair();
    using conn = new FramedConn(near);
    using peer = new FramedConn(far);

    await assertRejects(() => call(conn), TypeError, message);

    await conn.send("alive");
    assertEquals(await peer.receive(), "alive");
  });
}

const UNCONNECTED: [options: unknown, message: string][] = [
  [undefined, "Cannot connect: options is undefined. Give an object"],
  [{}, "Cannot connect to port undefined: give a whole number from 1 to 65535"],
  [{ port: "80" }, "Cannot connect to port 80: give a whole number from 1 to 65535"],
  [{ port: 1, hostname: "" }, "Cannot connect: hostname is empty"],
  [{ port: 1, tls: true }, "Cannot connect: tls is a boolean. Give an object"],
  [{ port: 1, signal: 5 }, "Cannot connect: signal is a number. Give an AbortSignal"],
  [{ port: 1, onReceived: "x" }, "Cannot connect: onReceived is a string. Give a function"],
];

for (const [options, message] of UNCONNECTED) {
  Deno.test(`FramedConn.connect(${JSON.stringify(options)}) is refused at once`, async () => {
    await assertRejects(() => FramedConn.connect(options), Error, message);
  });
}

Deno.test("Server.end() refuses what is no reason, and the conversations live on", async () => {
  const { listener, connect } = memoryListener();
  await using server = serve(async (conn: Conn, info: HandlerInfo) => {
    info.signal.throwIfAborted();
    for await (const text of conn) await conn.send(text);
  }, { listener });
  using conn = new FramedConn(await connect());
  await conn.request("hello");

  for (const reason of [undefined, "nonsense", "toString", 5]) {
    assertThrows(() => server.end(reason), TypeError, "Give one of full, crowded, paused");
  }
  assertThrows(() => server.end("kicked", 5), TypeError, "predicate is a number");

  assertEquals(await conn.request("alive"), "alive");
  conn.close();
});

Deno.test("memoryConnPair() takes a limit that is not whole for the one below", async () => {
  const [near, far] = memoryConnPair({ chunkBytes: 1.5, highWaterMarkBytes: 2.5 });
  await near.write(new Uint8Array([1, 2]));
  await near.write(new Uint8Array([2]));

  const read = new Uint8Array(4);
  assertEquals([await far.read(read), read[0]], [1, 1]);
  near.close();
  far.close();
});
