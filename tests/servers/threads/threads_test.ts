import { assertEquals, assertInstanceOf, assertLess, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve, type Server } from "../../../lib/server/server.ts";
import type { ServerEvent } from "../../../lib/server/server_events.ts";
import {
  type ThreadEvent,
  Threads,
  type ThreadsOptions,
} from "../../../servers/threads/threads.ts";
import { testWith } from "../../support/permissions.ts";

// A Worker reads its module by itself.
const MODULES: Deno.PermissionDescriptor[] = [{ name: "read" }];
const ECHO = { module: import.meta.resolve("../../../servers/echo.ts"), name: "echo" };

type Event = ServerEvent | ThreadEvent;

/** A server with a thread for each client, what it tells, and its clients. */
class Threaded implements AsyncDisposable {
  readonly events: Event[] = [];
  readonly threads: Threads;
  readonly server: Server;
  #changed = Promise.withResolvers<void>();
  #clients: FramedConn[] = [];

  constructor(
    handler: string | ThreadsOptions["handler"] = ECHO,
    { idleTimeoutMs = 0, ...options }: Partial<ThreadsOptions> & { idleTimeoutMs?: number } = {},
  ) {
    const onEvent = (event: Event) => this.#note(event);
    const module = import.meta.resolve("./hostile_handlers.ts");
    this.threads = new Threads({
      handler: typeof handler === "string" ? { module, name: handler } : handler,
      onThread: onEvent,
      ...options,
    });
    this.server = serve(this.threads.handler, { idleTimeoutMs, goodbye: goodbyeText, onEvent });
  }

  async connect(): Promise<FramedConn> {
    const conn = await FramedConn.connect({ port: this.server.addr.port });
    this.#clients.push(conn);
    return conn;
  }

  /** The first event of a type, now or later; of one connection, if so asked. */
  async event<T extends Event["type"]>(type: T, id?: number): Promise<Event & { type: T }> {
    for (;;) {
      const found = this.events.find((event) =>
        event.type === type && (id === undefined || ("conn" in event && event.conn.id === id))
      );
      if (found) return found as Event & { type: T };
      await this.#changed.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.shutdown();
    await this.threads[Symbol.asyncDispose]();
  }

  #note(event: Event): void {
    this.events.push(event);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function threadTest(name: string, fn: () => Promise<void>): void {
  testWith(MODULES, name, fn);
}

threadTest(
  "Threads tells the sizes of the messages and the thread of each conversation",
  async () => {
    await using threaded = new Threaded();
    const [first, second] = [await threaded.connect(), await threaded.connect()];
    await first.request("four");
    await second.request("ж");
    first.close();
    second.close();
    for (const id of [1, 2]) {
      await Promise.all([threaded.event("ended", id), threaded.event("disconnected", id)]);
    }

    // A thread ends on its own time: before the connection is closed, or after.
    const of = (id: number) => {
      const events = threaded.events.filter((event) => "conn" in event && event.conn.id === id);
      const lines = events.map((event) => {
        if ("bytes" in event) return `${event.type} ${event.bytes}`;
        return "thread" in event ? `thread ${event.thread} ${event.type}` : event.type;
      });
      return [...lines.slice(0, -2), ...lines.slice(-2).sort()];
    };

    assertEquals(of(1), [
      "connected",
      "thread 1 started",
      "received 4",
      "sent 4",
      "disconnected",
      "thread 1 ended",
    ]);
    assertEquals(of(2).slice(2, 5), ["received 2", "sent 2", "disconnected"]);
    assertEquals((await threaded.event("disconnected", 2)).reason, "finished");
  },
);

threadTest("Threads tells the handler who is at the other end", async () => {
  await using threaded = new Threaded("introduce");
  const conn = await threaded.connect();
  const { port } = conn.localAddr as Deno.NetAddr;

  assertEquals(await conn.receive(), `1 127.0.0.1:${port}`);
  assertEquals(await conn.receive(), null);
});

threadTest("Threads keeps a half-close: what was sent before it still comes back", async () => {
  await using threaded = new Threaded();
  const conn = await threaded.connect();
  conn.send("one");
  conn.send("two");

  await conn.closeWrite();

  assertEquals([await conn.receive(), await conn.receive()], ["one", "two"]);
  assertEquals(await conn.receive(), null);
  assertEquals((await threaded.event("disconnected")).reason, "finished");
});

threadTest("Threads closes the connection when the handler closes it", async () => {
  await using threaded = new Threaded("obey");
  const conn = await threaded.connect();

  assertEquals(await conn.request("close"), null);

  assertEquals((await threaded.event("disconnected")).reason, "ended");
});

threadTest("Threads delivers what a handler has sent when it returns at once", async () => {
  await using threaded = new Threaded("obey");
  const conn = await threaded.connect();

  assertEquals(await conn.request("return"), "returning");
  assertEquals(await conn.receive(), null);
  conn.close();

  assertEquals((await threaded.event("disconnected")).reason, "ended");
});

threadTest("Threads carries messages of many megabytes in flat memory", async () => {
  await using threaded = new Threaded();
  const conn = await threaded.connect();
  const text = "0123456789abcdef".repeat(60_000);
  assertEquals(await conn.request(text), text);
  const before = Deno.memoryUsage().external;
  let later = Infinity;

  for (let i = 0; i < 64; i++) {
    assertEquals((await conn.request(text))?.length, text.length);
    // What a collection has not taken yet is not held: the least of the second half counts.
    if (i >= 32) later = Math.min(later, Deno.memoryUsage().external);
  }

  assertLess(later - before, 32 * 1024 * 1024);
});

threadTest("Threads stops sending to a peer that never reads", async () => {
  await using threaded = new Threaded("flood", { graceMs: 100 });
  await threaded.connect();
  await threaded.event("sent");

  await untilMuchHasHappened();

  const bytes = threaded.events.reduce((sum, e) => sum + (e.type === "sent" ? e.bytes : 0), 0);
  assertLess(bytes, 24 * 1024 * 1024);
  threaded.server.end("kicked");
  assertEquals((await threaded.event("disconnected")).reason, "kicked");
});

threadTest("Threads stops reading from a peer when the handler does not receive", async () => {
  await using threaded = new Threaded("deaf", { graceMs: 100 });
  const conn = await threaded.connect();
  let sentBytes = 0;
  const sending = (async () => {
    for (;; sentBytes += 60_000) await conn.send("x".repeat(60_000));
  })().catch(() => {});
  await conn.receive();

  await untilMuchHasHappened();

  assertLess(sentBytes, 24 * 1024 * 1024);
  conn.abort();
  await sending;
  threaded.server.end("kicked");
  await threaded.event("disconnected");
});

threadTest("Threads serves many clients at once", async () => {
  await using threaded = new Threaded();
  const conns = await Promise.all(Array.from({ length: 6 }, () => threaded.connect()));

  const replies = await Promise.all(conns.map(async (conn, i) => {
    const sent = Array.from({ length: 20 }, (_, n) => `${i}-${n}`);
    for (const text of sent) conn.send(text);
    const received = [];
    while (received.length < sent.length) received.push(await conn.receive());
    return received.join() === sent.join();
  }));

  assertEquals(replies, conns.map(() => true));
  assertEquals(threaded.threads.count, 6);
});

for (
  const [order, says] of [
    ["throw", "thrown in the handler"],
    ["throw later", "thrown in a timer"],
    ["reject", "rejected behind the handler's back"],
    ["overflow", "Maximum call stack size exceeded"],
    ["close thread", "The thread of the conversation has ended by itself"],
    ["exit", "The thread of the conversation has ended by itself"],
  ] as const
) {
  threadTest(`Threads ends only the conversation whose handler does: ${order}`, async () => {
    await using threaded = new Threaded("obey");
    const [hostile, other] = [await threaded.connect(), await threaded.connect()];
    assertEquals(await other.request("before"), "before");

    const reply = await hostile.request(order);

    assertEquals(reply, "Goodbye: the server could not go on, try again");
    assertEquals(await lastOf(hostile), null);
    const { reason, error } = await threaded.event("disconnected", 1);
    assertEquals(reason, "failed");
    assertStringIncludes(String(error), says);
    assertEquals(await other.request("after"), "after");
    assertEquals(await (await threaded.connect()).request("new"), "new");
  });
}

threadTest("Threads tells when the module or the export is missing", async () => {
  for (const handler of [{ ...ECHO, module: "file:///nowhere.ts" }, { ...ECHO, name: "nobody" }]) {
    await using threaded = new Threaded(handler);
    const conn = await threaded.connect();

    assertStringIncludes(`${await lastOf(conn)}`, "Goodbye: ");

    assertEquals((await threaded.event("disconnected")).reason, "failed");
  }
});

threadTest(
  "Threads refuses with a goodbye when there are enough, and serves again later",
  async () => {
    await using threaded = new Threaded(ECHO, { maxThreads: 1 });
    const first = await threaded.connect();
    await first.request("here");
    const second = await threaded.connect();

    assertEquals(await second.receive(), "Goodbye: the server is full, try again later");
    assertEquals(await second.receive(), null);
    assertEquals((await threaded.event("refused") as ThreadEvent & { type: "refused" }).conn.id, 2);

    first.close();
    await threaded.event("ended");
    assertEquals(await (await threaded.connect()).request("again"), "again");
  },
);

threadTest("Threads gives the handler the error of a connection that is reset", async () => {
  await using threaded = new Threaded("lament");
  const socket = connect(threaded.server.addr.port, "127.0.0.1");
  socket.on("error", () => {});
  await Promise.all([once(socket, "connect"), threaded.event("started")]);

  socket.resetAndDestroy();

  const { error, reason } = await threaded.event("disconnected");
  assertEquals(reason, "failed");
  assertStringIncludes(String(error), "saw true");
});

threadTest("Threads counts silence in the thread and says goodbye for it", async () => {
  await using threaded = new Threaded(ECHO, { idleTimeoutMs: 20 });
  const conn = await threaded.connect();

  assertEquals(await lastOf(conn), "Goodbye: nothing was heard from you for too long");

  assertEquals((await threaded.event("disconnected")).reason, "idle");
});

threadTest("Threads answers a frame over the limit with the numbers", async () => {
  await using threaded = new Threaded();
  const conn = await threaded.connect();

  await conn.write(new Uint8Array([0xff, 0, 0, 0]));

  assertStringIncludes(`${await lastOf(conn)}`, "the limit is 1048576");
  assertEquals((await threaded.event("disconnected")).reason, "protocol");
});

threadTest("Server.shutdown() ends the conversations in threads with a goodbye", async () => {
  await using threaded = new Threaded(undefined, { graceMs: 60_000 });
  const conns = [await threaded.connect(), await threaded.connect()];
  for (const conn of conns) await conn.request("here");

  const stopped = threaded.server.shutdown();

  for (const conn of conns) assertEquals(await lastOf(conn), "Goodbye: the server stops");
  await stopped;
  await threaded.threads[Symbol.asyncDispose]();
  assertEquals(threaded.threads.count, 0);
});

threadTest(
  "Server.shutdown() waits the grace time for a handler that does not return",
  async () => {
    await using threaded = new Threaded("obey", { graceMs: 50 });
    const conn = await threaded.connect();
    await conn.send("never");
    await threaded.event("received");

    const stopped = threaded.server.shutdown();

    assertEquals(await lastOf(conn), "Goodbye: the server stops");
    await stopped;
    await threaded.event("ended");
  },
);

threadTest(
  "Threads waits for the spare thread at its end, however short the grace time",
  async () => {
    await using _threads = new Threads({ handler: ECHO, graceMs: 0 });
  },
);

threadTest("Server.close() ends the threads too", async () => {
  await using threaded = new Threaded("obey", { graceMs: 50 });
  const conn = await threaded.connect();
  await conn.send("never");
  await threaded.event("received");

  threaded.server.close();
  await threaded.server.finished;

  assertInstanceOf(await conn.receive().catch((error) => error) ?? new Error("closed"), Error);
  await threaded.event("ended");
});

/** The next message of a conversation that ends then: the server waits for the client to close its end. */
async function lastOf(conn: FramedConn): Promise<string | null> {
  const text = await conn.receive();
  conn.close();
  return text;
}

/** Time enough for whatever is not held back, measured in round trips between two others. */
async function untilMuchHasHappened(): Promise<void> {
  await using server = serve(async (conn) => {
    for await (const text of conn) await conn.send(text);
  }, { port: 0 });
  using conn = await FramedConn.connect({ port: server.addr.port });
  for (let i = 0; i < 3000; i++) await conn.request("tick");
}
