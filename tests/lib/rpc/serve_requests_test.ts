import { assert, assertEquals, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import type { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { RequestClient } from "../../../lib/rpc/request_client.ts";
import {
  type RequestHandler,
  serveRequests,
  type ServeRequestsOptions,
} from "../../../lib/rpc/serve_requests.ts";
import { serve } from "../../../lib/server/server.ts";
import { FramedConn as Conn } from "../../../lib/conn/framed_conn.ts";
import { testHandler } from "../../../lib/testing/test_handler.ts";
import { ODD_VALUES } from "../base/odd_values.ts";
import { isPending } from "../../support/turns.ts";
import { conns, parseText, receiveJson, sendJson } from "./rpc_pair.ts";

function start(
  handler: RequestHandler<string, unknown>,
  options: Partial<ServeRequestsOptions<string>> = {},
): { client: FramedConn; serving: Promise<void>; server: FramedConn } {
  const [client, server] = conns();
  const serving = serveRequests(server, handler, { validate: parseText, ...options });
  return { client, serving, server };
}

const shout = (text: string) => ({ body: text.toUpperCase() });

Deno.test("serveRequests() answers each request with its id", async () => {
  const { client, serving } = start(shout);

  sendJson(client, { id: 3, body: "a" });
  sendJson(client, { id: 9_000_000_000, body: "b", more: true });
  await client.closeWrite();

  assertEquals(await receiveJson(client), { id: 3, body: "A" });
  assertEquals(await receiveJson(client), { id: 9_000_000_000, body: "B" });
  await serving;
});

Deno.test("serveRequests() answers in the order in which handlers end, and all before it ends", async () => {
  const gates = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  const { client, serving } = start(async (text) => {
    await gates[text as "a" | "b"].promise;
    return { body: text };
  });
  sendJson(client, { id: 1, body: "a" });
  sendJson(client, { id: 2, body: "b" });
  await client.closeWrite();

  gates.b.resolve();
  assertEquals(await receiveJson(client), { id: 2, body: "b" });
  assert(await isPending(serving));
  gates.a.resolve();

  assertEquals(await receiveJson(client), { id: 1, body: "a" });
  await serving;
});

Deno.test("serveRequests() handles maxConcurrent requests at once, and receives no more meanwhile", async () => {
  let running = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const { client, serving, server } = start(async (text) => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running--;
    return { body: text };
  }, { maxConcurrent: 2 });
  for (const id of [1, 2, 3, 4]) sendJson(client, { id, body: "a" });
  await client.closeWrite();

  for (const _ of [1, 2, 3, 4]) {
    assert(await isPending(serving));
    gates.shift()!();
    await receiveJson(client);
  }

  await serving;
  assertEquals({ most, running }, { most: 2, running: 0 });
  assertEquals(await server.receive(), null);
});

Deno.test("serveRequests() aborts the signal of a request that the client has given up", async () => {
  const reported: unknown[] = [];
  const ended: string[] = [];
  const begun = Promise.withResolvers<void>();
  const { client: conn, serving } = start(async (text, { signal }) => {
    if (text === "next") return { body: ended.join() };
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended.push(`${text}: ${signal.reason.name}`);
    throw text === "passes on" ? new Error(text, { cause: signal.reason }) : signal.reason;
  }, { onError: (error) => reported.push(error) });
  using client = new RequestClient<string, string>(conn, { validate: parseText });
  const controller = new AbortController();
  const { signal } = controller;

  const asked = ["throws", "passes on"].map((text) => client.request(text, { signal }));
  await begun.promise;
  controller.abort();
  for (const request of asked) await assertRejects(() => request, DOMException);

  const { body } = await client.request("next");
  assertEquals(body, "throws: AbortError,passes on: AbortError");
  assertEquals(reported, []);
  client.close();
  await serving;
});

Deno.test("serveRequests() notices a given-up request while all places are taken", async () => {
  const { client, serving } = start(async (text, { signal }) => {
    if (text === "stuck") await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { body: text };
  }, { maxConcurrent: 1 });

  sendJson(client, { id: 1, body: "stuck" });
  sendJson(client, { cancel: 7 });
  sendJson(client, { cancel: 1 });
  sendJson(client, { id: 2, body: "next" });
  await client.closeWrite();

  assertEquals(await receiveJson(client), { id: 2, body: "next" });
  await serving;
});

Deno.test("serveRequests() aborts the signals of its requests when the connection is lost", async () => {
  const reasons: unknown[] = [];
  const { client, serving } = start(async (text, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    reasons.push(signal.reason);
    return { body: text };
  });

  // A faulty client uses an id twice.
  for (const id of [1, 2, 1]) sendJson(client, { id, body: "a" });
  await client.write(new Uint8Array([0, 0]));
  client.close();

  const error = await assertRejects(() => serving, Deno.errors.UnexpectedEof);
  assertEquals(reasons, [error, error, error]);
});

Deno.test("serveRequests() refuses what is not a request, and answers the next", async () => {
  const refused = [
    ["hello", null, "it is not JSON"],
    ["[1]", null, "it is not an object"],
    ['{"body":"a"}', null, "it has no id, which is a whole number from 1"],
    ['{"id":0,"body":"a"}', null, "it has no id, which is a whole number from 1"],
    ['{"id":1.5}', null, "it has no id, which is a whole number from 1"],
    ['{"id":1,"__proto__":{"x":1}}', null, "it has the key __proto__"],
    ['{"id":5}', 5, "it is not a text"],
    ['{"id":6,"body":6}', 6, "it is not a text"],
  ] as const;
  const { client, serving } = start(shout);

  for (const [text, id, message] of refused) {
    client.send(text);
    assertEquals(await receiveJson(client), { id, error: { code: "bad_request", message } });
  }
  client.sendBytes(new Uint8Array([0xff]));
  const { id, error } = await receiveJson(client) as { id: null; error: { code: string } };
  assertEquals([id, error.code], [null, "bad_request"]);
  sendJson(client, { id: 7, body: "a" });
  assertEquals(await receiveJson(client), { id: 7, body: "A" });

  client.close();
  await serving;
});

Deno.test("serveRequests() reports what a handler throws, and tells the client no more than that", async () => {
  const reported: unknown[] = [];
  const secret = new Error("password of the database: 1234");
  const { client, serving } = start((text) => {
    if (text === "a") throw secret;
    return shout(text);
  }, { onError: (error) => reported.push(error) });

  sendJson(client, { id: 1, body: "a" });
  sendJson(client, { id: 2, body: "b" });
  await client.closeWrite();

  const error = { code: "failed", message: "The server could not handle the request" };
  assertEquals(await receiveJson(client), { id: 1, error });
  assertEquals(await receiveJson(client), { id: 2, body: "B" });
  assertEquals(reported, [secret]);
  await serving;
});

Deno.test("serveRequests() answers failed where the answer cannot be sent", async () => {
  const reported: unknown[] = [];
  const bodies: Record<string, unknown> = {
    bigint: 1n,
    thrower: {
      toJSON() {
        throw "no JSON";
      },
    },
    long: "x".repeat(2000),
  };
  const { client, serving, server } = start((text) => ({ body: bodies[text] }), {
    onError: (error) => reported.push(error),
  });
  server.maxBodyBytes = 1000;

  for (const [index, body] of Object.keys(bodies).entries()) {
    sendJson(client, { id: index + 1, body });
    const response = await receiveJson(client) as { id: number; error: { code: string } };
    assertEquals([response.id, response.error.code], [index + 1, "failed"]);
  }

  assertEquals(reported.length, 3);
  client.close();
  await serving;
});

Deno.test("serveRequests() sends a failure that the handler returns, and a body that is left out", async () => {
  const error = { code: "no_such_job", message: "There is no job a" };
  const { client, serving } = start((text) => text === "a" ? { error } : { body: undefined });

  sendJson(client, { id: 1, body: "a" });
  sendJson(client, { id: 2, body: "b" });
  await client.closeWrite();

  assertEquals(await receiveJson(client), { id: 1, error });
  assertEquals(await receiveJson(client), { id: 2 });
  await serving;
});

Deno.test("serveRequests() waits for its handlers when the connection is lost, and says so", async () => {
  const gate = Promise.withResolvers<void>();
  const { client, serving } = start(async (text) => {
    await gate.promise;
    return { body: text };
  });
  sendJson(client, { id: 1, body: "a" });
  await client.flush();
  await client.write(new Uint8Array([0, 0]));
  client.close();
  assert(await isPending(serving));

  gate.resolve();

  await assertRejects(() => serving, Deno.errors.UnexpectedEof);
});

Deno.test("serveRequests() refuses a limit that is none", async () => {
  const { serving, client, server } = start(shout, { maxConcurrent: 0 });

  await assertRejects(() => serving, RangeError, "maxConcurrent is 0");
  client.close();
  server.close();
});

Deno.test("RequestClient and serveRequests() over TCP: many requests in flight, and a stop of the server", async () => {
  await using server = serve(
    (conn) => serveRequests(conn, shout, { validate: parseText }),
    { port: 0 },
  );
  const conn = await Conn.connect({ port: server.addr.port });
  using client = new RequestClient<string, string>(conn, { validate: parseText });
  const texts = Array.from({ length: 500 }, (_, i) => `text ${i}`);

  const results = await Promise.all(texts.map((text) => client.request(text)));
  assertEquals(results, texts.map((text) => ({ body: text.toUpperCase() })));
  await server.shutdown();

  await assertRejects(() => client.request("a"), Deno.errors.ConnectionAborted);
});

Deno.test("serveRequests() lives on, whatever its handler, validate and onError throw", async () => {
  using _ = stub(console, "error", () => {});
  for (const thrown of Object.values(ODD_VALUES)) {
    const throwIt = () => {
      throw thrown;
    };
    const failing = start(throwIt, { onError: throwIt });
    const refusing = start(shout, { validate: throwIt });
    for (const { client } of [failing, refusing]) sendJson(client, { id: 1, body: "a" });

    const codes = [];
    for (const { client, serving } of [failing, refusing]) {
      const { error } = await receiveJson(client) as { error: { code: string } };
      codes.push(error.code);
      client.close();
      await serving;
    }
    assertEquals(codes, ["failed", "bad_request"]);
  }
});

Deno.test("serveRequests() lives on where not even a failure fits into a body", async () => {
  const reported: unknown[] = [];
  const { client, serving, server } = start((text) => ({ body: text.repeat(100) }), {
    onError: (error) => reported.push(error),
  });
  server.maxBodyBytes = 24;

  client.send("no request");
  sendJson(client, { id: 1, body: "a" });
  sendJson(client, { id: 2, body: "" });

  assertEquals(await receiveJson(client), { id: 2, body: "" });
  assertEquals(reported.length, 1);
  client.close();
  await serving;
});

Deno.test("serveRequests() takes a peer that waits for an answer for idle only after that", async () => {
  using time = new FakeTime();
  const gate = Promise.withResolvers<void>();
  await using test = testHandler((conn) =>
    serveRequests(conn, async (text) => {
      await gate.promise;
      return { body: text };
    }, { validate: parseText }), { idleTimeoutMs: 1000 });
  sendJson(test.conn, { id: 1, body: "a" });

  await time.tickAsync(10_000);
  gate.resolve();
  assertEquals(await receiveJson(test.conn), { id: 1, body: "a" });
  await time.tickAsync(900);
  sendJson(test.conn, { id: 2, body: "b" });
  assertEquals(await receiveJson(test.conn), { id: 2, body: "b" });
  await time.tickAsync(1500);

  assertEquals(await test.conn.receive(), null);
  test.conn.close();
  assertEquals((await test.ended).reason, "idle");
});

Deno.test("serveRequests() ends at what cannot be read on, and handlers that wait learn it by info.signal", async () => {
  await using test = testHandler((conn, { signal }) =>
    serveRequests(conn, async () => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { body: signal.reason.reason };
    }, { validate: parseText })
  );
  sendJson(test.conn, { id: 1, body: "a" });

  await test.conn.write(new Uint8Array([0xff, 0xff, 0xff, 0xff]));

  assertEquals(await receiveJson(test.conn), { id: 1, body: "protocol" });
  test.conn.close();
  assertEquals((await test.ended).reason, "protocol");
});

Deno.test("serveRequests() answers `failed` where its handler returns no result, and reports it", async () => {
  const odd = [undefined, 5, "x", [], {}, { error: "text" }, { error: { code: 4, message: "m" } }];
  for (const result of odd) {
    const reported: unknown[] = [];
    const { client } = start(() => result as never, { onError: (error) => reported.push(error) });
    sendJson(client, { id: 1, body: "a" });

    const { error } = await receiveJson(client) as { error: { code: string } };

    assertEquals([error.code, reported.length], ["failed", 1]);
    client.close();
  }
});

Deno.test("serveRequests() refuses a validate that is async, and no rejection of it is left alone", async () => {
  const validate = () => Promise.reject(new TypeError("it is bad"));
  const { client } = start((text) => ({ body: text }), { validate: validate as never });
  sendJson(client, { id: 1, body: "a" });

  const { error } = await receiveJson(client) as { error: { code: string; message: string } };

  assertEquals(error.message, "validate returned a promise. Give a function that is not async");
  client.close();
});
