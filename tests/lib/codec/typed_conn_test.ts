import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { bytes, type Codec, InvalidMessageError } from "../../../lib/codec/codec.ts";
import { json } from "../../../lib/codec/json.ts";
import { TypedConn } from "../../../lib/codec/typed_conn.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { frameOf } from "../../support/bytes.ts";
import { ODD_VALUES } from "../base/odd_values.ts";

const number = json((value) => {
  if (typeof value !== "number") throw new TypeError("it is not a number");
  return value;
});

function pair(): [FramedConn, FramedConn] {
  const [near, far] = memoryConnPair();
  return [new FramedConn(near, { maxBodyBytes: 1000 }), new FramedConn(far)];
}

Deno.test("TypedConn sends and receives values, and null at the end", async () => {
  const [near, far] = pair();
  using client = new TypedConn(near, number);
  using server = new TypedConn(far, number);

  await client.send(1);
  await client.send(-2.5);
  await near.closeWrite();

  assertEquals(await server.receive(), 1);
  assertEquals(await server.receive(), -2.5);
  assertEquals(await server.receive(), null);
});

Deno.test("TypedConn.send() sends nothing when its signal has aborted", async () => {
  const [near, far] = pair();
  using client = new TypedConn(near, number);
  using server = new TypedConn(far, bytes);
  const signal = AbortSignal.abort(new Error("given up"));

  await assertRejects(() => client.send(1, { signal }), Error, "given up");
  await assertRejects(() => server.send(new Uint8Array(1), { signal }), Error, "given up");

  assertEquals([near.queuedBytes, far.queuedBytes], [0, 0]);
});

Deno.test("TypedConn is iterated over until the peer has finished", async () => {
  const [near, far] = pair();
  using client = new TypedConn(near, number);
  using server = new TypedConn(far, number);
  for (const value of [1, 2, 3]) client.send(value);
  await near.closeWrite();

  assertEquals(await Array.fromAsync(server), [1, 2, 3]);
});

Deno.test("TypedConn.receive() says what is wrong with a message, and gives the next one", async () => {
  const [near, far] = pair();
  using server = new TypedConn(far, number);
  for (const text of ["true", "no json", "null", "7"]) near.send(text);

  const first = await assertRejects(() => server.receive(), InvalidMessageError);
  assertEquals(first.message, "Cannot decode a message: it is not a number");
  assertEquals(first.reason, "it is not a number");
  assert(first instanceof Deno.errors.InvalidData && first.cause instanceof TypeError);
  await assertRejects(() => server.receive(), InvalidMessageError, "it is not JSON");
  await assertRejects(() => server.receive(), InvalidMessageError, "it is not a number");
  assertEquals(await server.receive(), 7);
  near.close();
});

Deno.test("TypedConn.receive() refuses a null, which would look like the end", async () => {
  const [near, far] = pair();
  using server = new TypedConn(far, json((value) => value));
  near.send("null");
  near.send("0");

  await assertRejects(() => server.receive(), InvalidMessageError, "it is null");
  assertEquals(await server.receive(), 0);
  near.close();
});

Deno.test("TypedConn.receive() rejects as the connection does, for one body or for all", async () => {
  const [near, far] = memoryConnPair();
  using server = new TypedConn(new FramedConn(far), number);
  await near.write(frameOf(0xff));
  await near.write(encodeFrame("1"));
  await near.write(new Uint8Array([0, 0]));
  near.close();

  const error = await assertRejects(() => server.receive(), Deno.errors.InvalidData, "UTF-8");
  assertEquals(error instanceof InvalidMessageError, false);
  assertEquals(await server.receive(), 1);
  await assertRejects(() => server.receive(), Deno.errors.UnexpectedEof);
});

Deno.test("InvalidMessageError quotes at most 200 characters, and knows its connection", async () => {
  const [near, far] = pair();
  const shout = json((value) => {
    throw new Error(`${"🙂".repeat(5000)} is no ${value}`);
  });
  using server = new TypedConn(far, shout);
  near.send("1");

  const error = await assertRejects(() => server.receive(), InvalidMessageError);

  assertEquals(error.reason.length, 200);
  assert(error.reason.isWellFormed() && String(error).length < 260);
  assert(error.cameOn(far) && !error.cameOn(near));
  near.close();
});

Deno.test("TypedConn.receive() refuses a message with whatever its codec throws", async () => {
  for (const thrown of Object.values(ODD_VALUES)) {
    const [near, far] = pair();
    using server = new TypedConn(
      far,
      json(() => {
        throw thrown;
      }),
    );
    near.send("1");

    const error = await assertRejects(() => server.receive(), InvalidMessageError);

    assertEquals(error.cause, thrown);
    near.close();
  }
});

Deno.test("TypedConn.send() rejects what the codec or the connection refuses, and sends the next", async () => {
  const [near, far] = pair();
  using client = new TypedConn(near, json((value) => value));

  await assertRejects(() => client.send(1n), TypeError);
  await assertRejects(() => client.send("x".repeat(1000)), RangeError);
  await client.send("fits");

  assertEquals(await far.receive(), '"fits"');
  far.close();
});

Deno.test("TypedConn.receive() can be given up, and nothing is lost", async () => {
  const [near, far] = pair();
  using server = new TypedConn(far, number);
  const patience = new AbortController();
  const received = server.receive({ signal: patience.signal });

  patience.abort();

  await assertRejects(() => received, DOMException);
  near.send("1");
  assertEquals(await server.receive(), 1);
  near.close();
});

Deno.test("TypedConn carries bytes, and formats of one's own", async () => {
  const [near, far] = pair();
  const point: Codec<{ x: number; y: number }> = {
    body: "bytes",
    encode: ({ x, y }) => new Uint8Array([x, y]),
    decode([x, y, ...rest]) {
      if (x === undefined || y === undefined || rest.length > 0) throw new TypeError("no point");
      return { x, y };
    },
  };
  using points = new TypedConn(near, point);
  using raw = new TypedConn(far, bytes);

  await points.send({ x: 1, y: 255 });
  const body = await raw.receive();
  await raw.send(new Uint8Array([7]));
  await raw.send(body!);

  assertEquals(body, new Uint8Array([1, 255]));
  await assertRejects(() => points.receive(), InvalidMessageError, "no point");
  assertEquals(await points.receive(), { x: 1, y: 255 });
});

Deno.test("TypedConn needs no more of a connection than receive, send and close", async () => {
  const sent: string[] = [];
  let closed = false;
  const conn = {
    receive: () => Promise.resolve("5"),
    send: (text: string) => Promise.resolve(void sent.push(text)),
    close: () => void (closed = true),
  };
  {
    using typed = new TypedConn(conn, number);
    assertEquals(await typed.receive(), 5);
    await typed.send(6);
  }

  assertEquals({ sent, closed }, { sent: ["6"], closed: true });
});

Deno.test("TypedConn gives what the codec made, unchanged", async () => {
  const [near, far] = pair();
  const value = { at: new Date(0) };
  const fixed: Codec<typeof value> = { body: "text", encode: () => "x", decode: () => value };
  using client = new TypedConn(near, fixed);
  using server = new TypedConn(far, fixed);

  await client.send(value);

  assertStrictEquals(await server.receive(), value);
});
