import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { passTime } from "../../support/turns.ts";
import { echo, type Peer, Session } from "./session.ts";

/** How long no answer must have come before the client half-closes. */
const HALF_CLOSE_MS = 2000;
const REFUSED = new Deno.errors.ConnectionRefused("Connection refused");

Deno.test("LineClient.run() says end of input when the lines have ended", async () => {
  const session = new Session([echo]);

  await session.end();

  assertEquals(session.service, ["connected to memory:1", "disconnected: end of input"]);
});

Deno.test("LineClient.run() shows what the server still says after the end of input", async () => {
  using time = new FakeTime();
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("one");
    await conn.send("two");
  }]).type("Anna");

  const ended = session.end();
  await session.says("sent 4 bytes");
  await passTime(time, HALF_CLOSE_MS);

  assertEquals([await ended, session.replies], [0, ["one", "two"]]);
});

Deno.test("LineClient.run() does not come back when exit was typed before the goodbye", async () => {
  using time = new FakeTime();
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("Goodbye: stopping");
  }]).type("a");

  const ended = session.exit();
  await session.says("sent 1 byte");
  await passTime(time, HALF_CLOSE_MS);

  assertEquals(await ended, 1);
  assertEquals(session.service.slice(-3), [
    "Goodbye: stopping",
    "disconnected: the server said goodbye",
    "no answer to 1 line",
  ]);
});

Deno.test("LineClient.run() connects for exit alone, and not again", async () => {
  const session = new Session([echo]).type("exit");

  assertEquals(await session.ended, 0);
  assertEquals(session.service, ["connected to memory:1", "disconnected: exit"]);
});

Deno.test("LineClient.run() ends at exit while there is no server", async () => {
  using _random = stub(Math, "random", () => 0);
  const session = new Session([REFUSED], {
    backoff: { minMs: 60_000, maxMs: 60_000 },
  });
  await session.says("no connection to memory:1: Connection refused; trying again in 30.0 s");

  assertEquals(await session.exit(), 0);
});

for (const how of ["exit", "end"] as const) {
  Deno.test(`LineClient.run() tries for the answer a while after ${how} before the connection`, async () => {
    const session = new Session([REFUSED], { answerTimeoutMs: 5 }).type("a");

    assertEquals(await session[how](), 1);
    assertEquals(session.service.at(-1), "no answer to 1 line");
  });
}

Deno.test("LineClient.run() ends with its input where there is no server and nothing to say", async () => {
  const session = new Session([REFUSED], { backoff: { minMs: 60_000, maxMs: 60_000 } });

  assertEquals(await session.end(), 0);
  assertEquals(session.service.length, 1);
});

Deno.test("LineClient.run() waits a limited time for an answer after the end of input", async () => {
  const session = new Session([async (conn) => {
    await conn.receive();
    await new Promise<void>((resolve) => session.ended.then(() => resolve()));
  }], { answerTimeoutMs: 5 }).type("a");

  const unanswered = await session.end();

  assertEquals(unanswered, 1);
  assertEquals(session.service.slice(-2), ["disconnected: end of input", "no answer to 1 line"]);
});

Deno.test("LineClient.run() waits a second at most for a server that does not close", async () => {
  using time = new FakeTime();
  const sawEnd = Promise.withResolvers<void>();
  const session = new Session([async (conn) => {
    await echo(conn);
    sawEnd.resolve();
    await session.ended;
  }]).type("a");

  const ended = session.end();
  await sawEnd.promise;
  await session.replied(1);
  const repliedAt = Date.now();
  let isOver = false;
  ended.then(() => isOver = true);
  while (!isOver) await time.nextAsync();

  assertEquals([Date.now() - repliedAt, await ended], [1000, 0]);
});

Deno.test("LineClient.run() tells the end of input on a later connection too", async () => {
  using time = new FakeTime();
  using _random = stub(Math, "random", () => 0);
  const session = new Session([
    REFUSED,
    async (conn) => {
      while (await conn.receive() !== null);
      await conn.send("late");
    },
  ]).type("a");

  const ended = session.end();
  await session.says("no connection to memory:1: Connection refused; trying again in 0.0 s");
  await passTime(time, 0);
  await session.says("sent 1 byte");
  await passTime(time, HALF_CLOSE_MS);

  assertEquals([await ended, session.replies], [0, ["late"]]);
});

Deno.test("LineClient.run() waits for the server longer than for an answer after the end of input", async () => {
  using time = new FakeTime();
  const deaf: Peer = async (conn) => {
    while (await conn.receive() !== null);
  };
  using _random = stub(Math, "random", () => 1);
  const session = new Session([deaf, echo], {
    backoff: { minMs: 60_000, maxMs: 60_000 },
  }).type("a");
  const ended = session.end();
  await session.says("sent 1 byte");

  await passTime(time, HALF_CLOSE_MS);
  await session.says("connecting again in 60.0 s");
  await passTime(time, 60_000);

  assertEquals([await ended, session.replies], [0, ["a"]]);
});

Deno.test("LineClient.run() counts the time for an answer from the one before", async () => {
  using time = new FakeTime();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const sawEnd = Promise.withResolvers<void>();
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
    sawEnd.resolve();
    for (const gate of gates) {
      await gate.promise;
      await conn.send("answer");
    }
  }]).type("a", "b");
  const ended = session.end();
  await session.says("sent 1 byte");
  await passTime(time, HALF_CLOSE_MS);
  await sawEnd.promise;

  for (const [answered, gate] of gates.entries()) {
    await passTime(time, 4000);
    gate.resolve();
    await session.replied(answered + 1);
  }

  assertEquals(await ended, 0);
});

Deno.test("LineClient.run() does not try again when the first attempt fails after exit", async () => {
  const gate = Promise.withResolvers<void>();
  const lines = async function* () {
    try {
      yield "exit";
    } finally {
      gate.resolve();
    }
  };
  const session = new Session([], {
    lines: lines(),
    connect: async () => {
      await gate.promise;
      throw REFUSED;
    },
  });

  assertEquals(await session.ended, 0);
  assertEquals(session.service.length, 1);
});

/** What a server does that closes when it sees a half-close, as Twisted's do by default. */
const closesAtHalfClose: Peer = async (conn) => {
  for await (const text of conn) setTimeout(() => conn.send(text), 1500);
  conn.close();
};

Deno.test("LineClient.run() does not half-close while answers come", async () => {
  using time = new FakeTime();
  const session = new Session([closesAtHalfClose]).type("a", "b");
  const ended = session.end();

  await session.says("sent 1 byte");
  await passTime(time, 1500);

  assertEquals([await ended, session.replies], [0, ["a", "b"]]);
});
