import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FramedConnOptions } from "../../../lib/conn/conn_options.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { frameOf } from "../../support/bytes.ts";
import { isPending } from "../../support/turns.ts";

function memoryPair(options?: FramedConnOptions): [FramedConn, FramedConn] {
  const [client, server] = memoryConnPair();
  return [new FramedConn(client, options), new FramedConn(server, options)];
}

Deno.test("FramedConn.request() can be given up, and its answer is received next", async () => {
  const [client, server] = memoryPair();
  const controller = new AbortController();
  const answer = client.request("question", { signal: controller.signal });
  assertEquals(await server.receive(), "question");

  controller.abort();
  await assertRejects(() => answer, DOMException);
  await server.send("answer");

  assertEquals(await client.receive(), "answer");
});

Deno.test("FramedConn.request() asks nothing when it was given up before", async () => {
  const [client, server] = memoryPair();

  await assertRejects(() => client.request("a", { signal: AbortSignal.abort() }), DOMException);

  client.send("b");
  assertEquals(await server.receive(), "b");
});

Deno.test("FramedConn.request() asks nothing while another receive or request is pending", async () => {
  const [client, server] = memoryPair();
  const first = client.request("1");
  await assertRejects(() => client.request("2"), TypeError, "another receive is pending");
  assertEquals(await server.receive(), "1");
  await assertRejects(() => client.request("3"), TypeError, "another receive is pending");
  server.send("answer 1");
  assertEquals(await first, "answer 1");

  const received = client.receive();
  await assertRejects(() => client.request("4"), TypeError, "another receive is pending");
  server.send("unasked");
  assertEquals(await received, "unasked");

  const last = client.request("5");
  assertEquals(await server.receive(), "5");
  server.send("answer 5");
  assertEquals(await last, "answer 5");
});

Deno.test("FramedConn.request() can be given up while its question waits for a slow peer", async () => {
  const [near] = memoryConnPair({ highWaterMarkBytes: 10 });
  const client = new FramedConn(near, { highWaterMarkBytes: 1 });
  const patience = new AbortController();
  const answer = client.request("a question", { signal: patience.signal });
  assert(await isPending(answer));

  patience.abort();

  await assertRejects(() => answer, DOMException, "aborted");
  client.abort();
});

Deno.test("FramedConn.request() rejects, and waits for no answer, when its question is refused", async () => {
  const [client, server] = memoryPair({ maxBodyBytes: 5 });

  await assertRejects(() => client.request("too long"), FrameTooLargeError);

  const answer = client.request("short");
  server.send("later");
  assertEquals(await answer, "later");
});

/** Requests, gives up when the server has got the text, and leaves the server to answer. */
async function giveUp(client: FramedConn, server: FramedConn, text: string): Promise<void> {
  const patience = new AbortController();
  const answer = client.request(text, { signal: patience.signal });
  assertEquals(await server.receive(), text);
  patience.abort();
  await assertRejects(() => answer, DOMException);
}

Deno.test("FramedConn.request() drops the answers to requests that were given up, whenever they come", async () => {
  const [client, server] = memoryPair();
  await giveUp(client, server, "1");
  await giveUp(client, server, "2");
  await server.send("answer 1");
  const third = client.request("3");
  assertEquals(await server.receive(), "3");
  assert(await isPending(third));

  // One that is not UTF-8 is an answer, too.
  await server.write(frameOf(0xff));
  await server.send("answer 3");

  assertEquals(await third, "answer 3");
  const fourth = client.request("4");
  await server.send("answer 4");
  assertEquals(await fourth, "answer 4");
});

Deno.test("FramedConn.request() drops no answer that was received before", async () => {
  const [client, server] = memoryPair();
  await giveUp(client, server, "1");
  await server.send("answer 1");
  await server.send("unasked");
  assertEquals([await client.receive(), await client.receive()], ["answer 1", "unasked"]);

  const second = client.request("2");
  await server.send("answer 2");

  assertEquals(await second, "answer 2");
});

Deno.test("FramedConn.request() gives null when the peer finishes in place of a late answer", async () => {
  const [client, server] = memoryPair();
  await giveUp(client, server, "1");

  const second = client.request("2");
  await server.closeWrite();

  assertEquals(await second, null);
});
