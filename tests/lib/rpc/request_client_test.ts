import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { InvalidMessageError } from "../../../lib/codec/codec.ts";
import { RequestClient } from "../../../lib/rpc/request_client.ts";
import { isPending, turns } from "../../support/turns.ts";
import { clientAndPeer, conns, parseText, receiveJson, sendJson } from "./rpc_pair.ts";

Deno.test("RequestClient gives each request its own answer, in whatever order they come", async () => {
  const [client, peer] = clientAndPeer();
  using _ = client;
  const asked = ["a", "b", "c"].map((text) => client.request(text));
  const ids = [];
  for (const text of ["a", "b", "c"]) {
    const request = await receiveJson(peer) as { id: number; body: string };
    assertEquals(request, { id: request.id, body: text });
    ids.push(request.id);
  }

  for (const id of ids.toReversed()) sendJson(peer, { id, body: `answer ${id}` });

  assertEquals(await Promise.all(asked), ids.map((id) => ({ body: `answer ${id}` })));
});

Deno.test("RequestClient gives a failure of the peer as a value", async () => {
  const [client, peer] = clientAndPeer();
  using _ = client;
  const asked = client.request("a");
  const error = { code: "no_such_job", message: "There is no job a" };

  sendJson(peer, { id: 1, error: { ...error, more: true } });

  assertEquals(await asked, { error });
});

Deno.test("RequestClient rejects a request that times out, and drops its late answer", async () => {
  using time = new FakeTime();
  const [client, peer] = clientAndPeer({ timeoutMs: 1000 });
  using _ = client;
  const slow = client.request("slow");
  const patient = client.request("patient", { timeoutMs: 0 });

  time.tick(999);
  assert(await isPending(slow));
  time.tick(1);
  await assertRejects(() => slow, Deno.errors.TimedOut, "no answer came within 1000 ms");
  time.tick(1e9);
  sendJson(peer, { id: 1, body: "late" });
  sendJson(peer, { id: 2, body: "in time" });

  assertEquals(await patient, { body: "in time" });
});

Deno.test("RequestClient gives up a request when its signal aborts, before or after it is sent", async () => {
  const [client, peer] = clientAndPeer();
  using _ = client;
  const controller = new AbortController();
  const asked = client.request("a", { signal: controller.signal });
  const reason = new Error("not needed any more");

  controller.abort(reason);

  assertEquals(await assertRejects(() => asked), reason);
  assertEquals(
    await assertRejects(() => client.request("b", { signal: controller.signal })),
    reason,
  );
  const next = client.request("c");
  sendJson(peer, { id: 1, body: "late" });
  sendJson(peer, { id: 2, body: "answer" });
  assertEquals(await next, { body: "answer" });
});

Deno.test("RequestClient has maxPending requests on their way, and sends the others in order", async () => {
  const [client, peer] = clientAndPeer({ maxPending: 2 });
  using _ = client;
  const controller = new AbortController();
  const asked = ["a", "b", "c", "d", "e"].map((text) =>
    client.request(text, text === "c" ? { signal: controller.signal } : {})
  );
  assertEquals(await receiveJson(peer), { id: 1, body: "a" });
  assertEquals(await receiveJson(peer), { id: 2, body: "b" });
  const third = receiveJson(peer);
  assert(await isPending(third));

  controller.abort();
  await assertRejects(() => asked[2]!, DOMException);
  sendJson(peer, { id: 2, body: "B" });

  assertEquals(await third, { id: 4, body: "d" });
  assert(await isPending(asked[4]!));
  sendJson(peer, { id: 4, body: "D" });
  assertEquals(await receiveJson(peer), { id: 5, body: "e" });
  for (const id of [1, 5]) sendJson(peer, { id, body: `${id}` });
  assertEquals(await Promise.all([asked[0], asked[1], asked[3], asked[4]]), [
    { body: "1" },
    { body: "B" },
    { body: "D" },
    { body: "5" },
  ]);
});

Deno.test("RequestClient tells the peer of a request that was given up, and sends the next", async () => {
  using time = new FakeTime();
  const [client, peer] = clientAndPeer({ maxPending: 1 });
  using _ = client;
  const first = client.request("a", { timeoutMs: 10 });
  const second = client.request("b", { timeoutMs: 50 });
  assertEquals(await receiveJson(peer), { id: 1, body: "a" });

  time.tick(10);

  await assertRejects(() => first, Deno.errors.TimedOut);
  assertEquals(await receiveJson(peer), { cancel: 1 });
  assertEquals(await receiveJson(peer), { id: 2, body: "b" });
  sendJson(peer, { id: 2, body: "B" });
  assertEquals(await second, { body: "B" });
});

Deno.test("RequestClient rejects what is pending, and all later requests, when the peer has finished", async () => {
  const [client, peer] = clientAndPeer({ maxPending: 1 });
  const asked = [client.request("sent"), client.request("waiting")];
  await receiveJson(peer);

  peer.close();

  for (const request of [...asked, client.request("later")]) {
    await assertRejects(
      () => request,
      Deno.errors.ConnectionAborted,
      "the connection has ended",
    );
  }
  await client.ended;
});

Deno.test("RequestClient says why the connection was lost", async () => {
  const [near, far] = conns();
  using client = new RequestClient(near, { validate: parseText });
  const asked = client.request("a");

  await far.write(new Uint8Array([0, 0, 0]));
  far.close();

  const error = await assertRejects(() => asked, Deno.errors.ConnectionAborted);
  assert(error.cause instanceof Deno.errors.UnexpectedEof);
});

Deno.test("RequestClient rejects what is pending when it is closed", async () => {
  const [client, peer] = clientAndPeer();
  const asked = client.request("a");

  client.close();
  client.close();

  await assertRejects(() => asked, Deno.errors.BadResource, "the client is closed");
  await assertRejects(() => client.request("b"), Deno.errors.BadResource, "the client is closed");
  await client.ended;
  assertEquals(await receiveJson(peer), { id: 1, body: "a" });
  assertEquals(await peer.receive(), null);
  peer.close();
});

Deno.test("RequestClient leaves no unhandled rejection when nothing awaits a request", async () => {
  const [client, peer] = clientAndPeer();
  client.request("a");

  peer.close();

  await client.ended;
  await turns();
});

Deno.test("RequestClient ends at a message that is not a response", async () => {
  for (const text of ["Goodbye: x", "{}", '{"id":"1"}', '{"id":1,"error":"no"}', "[]", "null"]) {
    const [client, peer] = clientAndPeer();
    const asked = client.request("a");

    peer.send(text);

    const error = await assertRejects(() => asked, Deno.errors.ConnectionAborted);
    assert(error.cause instanceof InvalidMessageError, text);
    await client.ended;
    peer.close();
  }
});

Deno.test("RequestClient ignores answers that it waits for no more, or never did", async () => {
  const [client, peer] = clientAndPeer();
  using _ = client;
  const asked = client.request("a");

  for (const id of [7, 1, 1, null]) {
    sendJson(peer, id === null ? { id, error: { code: "x", message: "y" } } : { id, body: "A" });
  }

  assertEquals(await asked, { body: "A" });
  const next = client.request("b");
  sendJson(peer, { id: 2, body: "B" });
  assertEquals(await next, { body: "B" });
});

Deno.test("RequestClient rejects an answer that is not valid, and lives on", async () => {
  const [client, peer] = clientAndPeer();
  using _ = client;
  const asked = [client.request("a"), client.request("b")];

  sendJson(peer, { id: 1, body: 1 });
  sendJson(peer, { id: 2, body: "B" });

  await assertRejects(() => asked[0]!, InvalidMessageError, "it is not a text");
  assertEquals(await asked[1], { body: "B" });
});

Deno.test("RequestClient.request() rejects what cannot be sent, and lives on", async () => {
  const [near, far] = conns();
  near.maxBodyBytes = 100;
  using client = new RequestClient<unknown, string>(near, { validate: parseText, maxPending: 1 });

  await assertRejects(() => client.request(1n), TypeError);
  await assertRejects(() => client.request("x".repeat(100)), RangeError);
  const asked = client.request("fits");

  const request = await receiveJson(far) as { id: number };
  sendJson(far, { id: request.id, body: "A" });
  assertEquals(await asked, { body: "A" });
});

Deno.test("RequestClient sends no more to a peer that takes nothing, however many requests are given up", async () => {
  using time = new FakeTime();
  const [client, peer] = clientAndPeer({ timeoutMs: 10, maxPending: 2 });
  const text = "x".repeat(100_000);

  for (let i = 0; i < 20; i++) {
    const asked = [client.request(text), client.request(text)];
    await time.tickAsync(10);
    for (const request of asked) await assertRejects(() => request, Deno.errors.TimedOut);
  }
  const last = client.request("last", { timeoutMs: 0 });

  for (const id of [1, 2]) assertEquals(await receiveJson(peer), { id, body: text });
  for (const cancel of [1, 2]) assertEquals(await receiveJson(peer), { cancel });
  assertEquals(await receiveJson(peer), { id: 41, body: "last" });
  sendJson(peer, { id: 41, body: "A" });
  assertEquals(await last, { body: "A" });
  client.close();
  peer.close();
});

Deno.test("RequestClient refuses limits that are none", () => {
  for (const options of [{ timeoutMs: -1 }, { timeoutMs: NaN }, { maxPending: 0 }]) {
    const [near, far] = conns();
    assertThrows(() => new RequestClient(near, { validate: parseText, ...options }), RangeError);
    near.close();
    far.close();
  }
});

Deno.test("RequestClient gives up a question whose own toJSON has aborted the signal", async () => {
  const [client, peer] = clientAndPeer({ timeoutMs: 0 });
  using _ = client;
  const controller = new AbortController();
  const toJSON = () => controller.abort(new Error("given up"));

  const asked = client.request({ toJSON } as never, { signal: controller.signal });

  await assertRejects(() => asked, Error, "given up");
  assertEquals(await receiveJson(peer), { id: 1 });
  assertEquals(await receiveJson(peer), { cancel: 1 });
});

Deno.test("RequestClient rejects each request that a connection's send throws at", async () => {
  const received = Promise.withResolvers<null>();
  const send = () => {
    throw new Error("no");
  };
  const conn = { receive: () => received.promise, close: () => received.resolve(null), send };
  using client = new RequestClient<string, string>(conn, { validate: parseText, maxPending: 1 });

  const asked = ["a", "b", "c"].map((text) => client.request(text));

  for (const request of asked) await assertRejects(() => request, Error, "no");
});
