import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { MAX_BREAKS } from "../../../client/line/unanswered.ts";
import type { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { echo, type Peer, Session } from "./session.ts";

const REFUSED = new Deno.errors.ConnectionRefused("Connection refused");

Deno.test("LineClient.run() waits for a server that is not there yet and loses no line", async () => {
  const session = new Session([REFUSED, REFUSED, echo]).type("a", "b");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a", "b"]]);
  assertEquals(session.service.slice(0, 3), [
    "no connection to memory:1: Connection refused; trying again in 0.0 s",
    "no connection to memory:1: Connection refused; trying again in 0.0 s",
    "connected to memory:1",
  ]);
});

Deno.test("LineClient.run() sends the line again whose answer the break of the connection took", async () => {
  const session = new Session([async (conn) => void await conn.receive(), echo]).type("a");
  await session.replied(1);

  const unanswered = await session.exit();

  assertEquals([unanswered, session.replies], [0, ["a"]]);
  assertEquals(session.service, [
    "connected to memory:1",
    "sent 1 byte",
    "disconnected: the server closed the connection",
    "connecting again in 0.0 s",
    "connected to memory:1",
    "sent again after the reconnect: 1 line",
    "sent 1 byte",
    "received 1 byte",
    "disconnected: exit",
  ]);
});

Deno.test("LineClient.run() sends the unanswered lines again in order, and only those", async () => {
  const session = new Session([async (conn) => {
    await conn.send((await conn.receive())!);
    await conn.receive();
    await conn.receive();
  }, echo]).type("a", "b", "c");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a", "b", "c"]]);
  assertStringIncludes(session.service.join("\n"), "sent again after the reconnect: 2 lines");
});

Deno.test("LineClient.run() sends a line typed without a connection once there is one", async () => {
  const secondAttempt = Promise.withResolvers<void>();
  const session = new Session([(conn) => Promise.resolve(conn.close()), async (conn) => {
    await secondAttempt.promise;
    await echo(conn);
  }]);
  await session.says("disconnected: the server closed the connection");
  session.type("a");
  secondAttempt.resolve();

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a"]]);
  assert(!session.service.some((message) => message.startsWith("sent again")));
});

Deno.test("LineClient.run() gives a line up that breaks every connection, and goes on", async () => {
  let breaks = 0;
  const session = new Session([async (conn) => {
    for await (const text of conn) {
      if (text === "poison") return void breaks++;
      await conn.send(text);
    }
  }]).type("poison");
  await session.says(`gave up 1 line: ${MAX_BREAKS} connections broke on it`);
  session.type("a");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies, breaks], [1, ["a"], MAX_BREAKS]);
});

Deno.test("LineClient.run() tells why a connection broke", async () => {
  const session = new Session([async (conn) => {
    await conn.write(new Uint8Array([0, 0, 0, 9, 1]));
  }, echo]);

  await session.says("connecting again in 0.0 s");
  await session.exit();

  assertStringIncludes(session.service[1]!, "disconnected: Cannot receive");
});

Deno.test("LineClient.run() shows a goodbye as its own message and comes back", async () => {
  const session = new Session([async (conn) => {
    await conn.receive();
    await conn.send("Goodbye: the server pauses, come back in a moment");
  }, echo]).type("a");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a"]]);
  assertEquals(session.service.slice(2, 4), [
    "Goodbye: the server pauses, come back in a moment",
    "disconnected: the server said goodbye",
  ]);
});

Deno.test("LineClient.run() ends when the operator has ended its connection", async () => {
  const session = new Session([async (conn) => {
    await conn.send((await conn.receive())!);
    await conn.send("Goodbye: the operator ended the connection");
  }, echo]).type("a");

  assertEquals(await session.ended, 0);
  assert(session.client.wasKicked);
  assertEquals(session.service.slice(3), [
    "Goodbye: the operator ended the connection",
    "disconnected: the server said goodbye",
  ]);
});

for (const how of ["a line", "exit", "end of input"]) {
  Deno.test(`LineClient.run() that was silent for too long comes back for a line: ${how}`, async () => {
    let connections = 0;
    const idle: Peer = async (conn) => {
      connections++;
      await conn.send((await conn.receive())!);
      await conn.send("Goodbye: nothing was heard from you for too long");
    };
    const session = new Session([idle]).type("a");
    await session.says("connects again when there is a line to send");
    assertEquals(connections, 1);

    if (how === "a line") await session.type("b").replied(2);
    assertEquals(await (how === "exit" ? session.exit() : session.end()), 0);

    assertEquals([session.replies, connections], how === "a line" ? [["a", "b"], 2] : [["a"], 1]);
  });
}

Deno.test("LineClient.run() that came back for a line comes back by itself after another loss", async () => {
  const arrived = Promise.withResolvers<void>();
  const answerOne = async (conn: FramedConn) => conn.send((await conn.receive())!);
  const session = new Session([
    async (conn) => {
      await answerOne(conn);
      await conn.send("Goodbye: nothing was heard from you for too long");
    },
    answerOne,
    (conn) => {
      arrived.resolve();
      return echo(conn);
    },
  ]).type("a");
  await session.says("connects again when there is a line to send");

  session.type("b");
  await arrived.promise;

  assertEquals([await session.end(), session.replies], [0, ["a", "b"]]);
});

Deno.test("LineClient.run() counts no goodbye against the line that it left unanswered", async () => {
  const full: Peer = async (conn) => {
    await conn.receive();
    await conn.send("Goodbye: the server is full, try again later");
  };
  const session = new Session([...Array(MAX_BREAKS + 1).fill(full), echo]).type("a");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a"]]);
});

Deno.test("LineClient.run() counts a goodbye against a line that may be the cause", async () => {
  const session = new Session([async (conn) => {
    for await (const text of conn) {
      if (text === "poison") return await conn.send("Goodbye: what you sent cannot be read");
      await conn.send(text);
    }
  }]).type("a", "poison", "b");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [1, ["a", "b"]]);
});

Deno.test("LineClient.run() shows a goodbye although it cannot send any more", async () => {
  const session = new Session([], {
    connect: () =>
      Promise.resolve({
        send: () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")),
        receive: async () => {
          await session.says("connected to memory:1");
          await Promise.resolve();
          return "Goodbye: the server stops";
        },
        closeWrite: () => Promise.reject(new Deno.errors.NotConnected("not connected")),
        close: () => {},
      }),
  }).type("a");
  await session.says("Goodbye: the server stops");

  assertEquals(await session.exit(), 1);
});

Deno.test("LineClient.run() waits for a server that answered before, whatever is there now", async () => {
  const session = new Session([
    async (conn) => conn.send((await conn.receive())!),
    async (conn) => void await conn.write(new TextEncoder().encode("HTTP/1.1 502 Bad Gateway")),
    echo,
  ]).type("a");
  await session.replied(1);
  session.type("b");

  assertEquals([await session.end(), session.replies], [0, ["a", "b"]]);
});

Deno.test("LineClient.run() connects no faster than its own backoff, whatever a server says", async () => {
  using time = new FakeTime();
  using _random = stub(Math, "random", () => 0);
  let connections = 0;
  const session = new Session([async (conn) => {
    connections++;
    await conn.send("Goodbye: the server pauses, come back in a moment");
  }], { backoff: { maxMs: 5000 } }).type("a");

  await time.tickAsync(60_000);
  assert(connections < 40, `${connections}`);
  await session.exit();
});
