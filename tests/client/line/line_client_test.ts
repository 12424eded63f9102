import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { MAX_UNANSWERED } from "../../../client/line/unanswered.ts";
import { WrongClientError } from "../../../client/shared/failure.ts";
import { echo, Session } from "./session.ts";

Deno.test("LineClient.run() prints the answer to each line, also those that come after the end of input", async () => {
  const session = new Session([echo]).type("a", "", "Привет");

  const unanswered = await session.end();

  assertEquals(unanswered, 0);
  assertEquals(session.replies, ["a", "", "Привет"]);
});

Deno.test("LineClient.run() tells what it does", async () => {
  const session = new Session([echo]).type("Привет");
  await session.replied(1);

  await session.exit();

  assertEquals(session.service, [
    "connected to memory:1",
    "sent 12 bytes",
    "received 12 bytes",
    "disconnected: exit",
  ]);
});

Deno.test("LineClient.run() says once to check the port where no answer comes for 10 s", async () => {
  using time = new FakeTime();
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
  }]).type("a", "b");

  await time.tickAsync(9_000);
  const before = session.service.length;
  await time.tickAsync(60_000);
  const hints = session.service.slice(before);
  const ended = session.exit();
  await time.tickAsync(20_000);
  await ended;

  assertEquals(hints, ["no answer yet: check the port, it may be another server's"]);
});

Deno.test("LineClient.run() ends at exit and reads no further", async () => {
  const session = new Session([echo]).type("a");

  session.type(" exit\t", "b");
  await session.ended;

  assertEquals(session.replies, ["a"]);
  assertEquals(session.service.at(-1), "disconnected: exit");
});

Deno.test("LineClient.run() shows what the server says unasked", async () => {
  const session = new Session([async (conn) => {
    await conn.send("What is your name?");
    await conn.send(`Hello, ${await conn.receive()}!`);
    await conn.receive();
  }]);
  await session.replied(1);
  session.type("Anna");

  await session.end();

  assertEquals(session.replies, ["What is your name?", "Hello, Anna!"]);
});

Deno.test("LineClient.run() takes a typed goodbye that is echoed for an answer", async () => {
  const session = new Session([echo]).type("a", "Goodbye: all", "b");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a", "Goodbye: all", "b"]]);
});

Deno.test("LineClient.run() ends at its signal, and tells what has no answer", async () => {
  const interruption = new AbortController();
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
  }], { signal: interruption.signal }).type("a");
  await session.says("sent 1 byte");

  interruption.abort();

  assertEquals(await session.ended, 1);
  assertEquals(session.service.slice(-2), ["disconnected: interrupted", "no answer to 1 line"]);
});

Deno.test("LineClient.run() refuses a line over the limit, names it, and lives on", async () => {
  const session = new Session([echo]);
  session.type("", "x".repeat(1024 * 1024 + 1), "я".repeat(512 * 1024));

  assertEquals([await session.end(), session.replies.length], [1, 2]);
  assertStringIncludes(session.service.join("\n"), "not sent: line 2 is over 1048576 bytes");
});

Deno.test("LineClient.run() refuses a lone surrogate and lives on", async () => {
  const session = new Session([echo]).type("\ud83d", "👋");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [1, ["👋"]]);
});

Deno.test("LineClient.run() takes a message that is not UTF-8 for an answer that it cannot show", async () => {
  const session = new Session([async (conn) => {
    await conn.receive();
    await conn.sendBytes(new Uint8Array([0xff]));
    await echo(conn);
  }]).type("a", "b");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["b"]]);
  assertStringIncludes(session.service.join("\n"), "received a message that is not UTF-8");
});

Deno.test("LineClient.run() stops reading lines while too many have no answer, and says so", async () => {
  using time = new FakeTime();
  const asked: string[] = [];
  const answer = Promise.withResolvers<void>();
  const session = new Session([async (conn) => {
    while (asked.length < MAX_UNANSWERED) asked.push((await conn.receive())!);
    await answer.promise;
    for (const text of asked) await conn.send(text);
    await echo(conn);
  }]);
  const lines = Array.from({ length: MAX_UNANSWERED + 10 }, (_, i) => `${i}`);

  session.type(...lines);
  const complaint = `waiting for answers to ${MAX_UNANSWERED} lines`;
  while (!session.service.includes(complaint)) await time.nextAsync();
  const sentBefore = session.service.filter((message) => message.startsWith("sent")).length;
  answer.resolve();
  await session.end();

  assertEquals([sentBefore, session.replies], [MAX_UNANSWERED, lines]);
});

Deno.test("LineClient.run() rejects with what the input threw", async () => {
  // deno-lint-ignore require-yield -- the input fails before its first line
  const lines = async function* (): AsyncGenerator<string> {
    throw new Error("input failed");
  };
  const session = new Session([echo], { lines: lines() });

  const error = await assertRejects(() => session.ended, Error);

  assertEquals(error.message, "input failed");
});

Deno.test("LineClient.run() rejects with what the output threw", async () => {
  const onReply = () => Promise.reject(new Deno.errors.BrokenPipe("output closed"));
  const session = new Session([echo], { onReply }).type("a");

  await assertRejects(() => session.ended, Deno.errors.BrokenPipe, "output closed");
});

Deno.test("LineClient.run() rejects with a failure to connect that no waiting mends", async () => {
  const session = new Session([new Deno.errors.NotCapable("Requires net access")]);

  const reason = "no connection to memory:1: Requires net access";
  await assertRejects(() => session.ended, Error, reason);
});

const CHAT_ERROR = '{"type":"error","code":"bad_message","message":"This is no message"}';

Deno.test("LineClient.run() says which command talks to a chat, and does not come back", async () => {
  let connections = 0;
  const session = new Session([async (conn) => {
    connections++;
    await conn.receive();
    await conn.send(CHAT_ERROR);
  }]).type("hello");

  await assertRejects(() => session.ended, WrongClientError, "deno task chat:client --host memory");
  assertEquals([connections, session.replies], [1, []]);
});

Deno.test("LineClient.run() lets messages for a chat be written by hand", async () => {
  const session = new Session([async (conn) => {
    await conn.receive();
    await conn.send(CHAT_ERROR);
    await conn.receive();
  }]).type('{"type":"hi"}');

  assertEquals([await session.end(), session.replies], [0, [CHAT_ERROR]]);
});

for (
  const [start, reason] of [
    ["HTTP/1.1 400 Bad Request", "this is an HTTP server"],
    ["\x15\x03\x03\0\x02\x02\x0a", "the server speaks TLS: add --tls"],
  ] as const
) {
  Deno.test(`LineClient.run() ends at another server: ${reason}`, async () => {
    const session = new Session([async (conn) => {
      await conn.receive();
      await conn.write(Uint8Array.from(start, (char) => char.charCodeAt(0)));
    }]).type("hello");

    await assertRejects(() => session.ended, Error, `no connection to memory:1: ${reason}`);
  });
}
