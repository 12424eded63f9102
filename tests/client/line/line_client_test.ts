import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { LineClient } from "../../../client/line/line_client.ts";
import type { LineClientOptions } from "../../../client/line/options.ts";
import { WrongServerError } from "../../../client/shared/failure.ts";
import { MAX_BREAKS, MAX_UNANSWERED } from "../../../client/line/unanswered.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

type Peer = (conn: FramedConn) => Promise<void>;

async function echo(conn: FramedConn): Promise<void> {
  for await (const text of conn) await conn.send(text);
}

/** A client, what it says, and the lines that it is given one by one. */
class Session {
  readonly replies: string[] = [];
  readonly service: string[] = [];
  readonly client: LineClient;
  readonly ended: Promise<number>;
  #input = new TransformStream<string, string>();
  #writer = this.#input.writable.getWriter();
  #peers: Promise<void>[] = [];
  #changed = Promise.withResolvers<void>();

  /** The peers are met in this order, one a connection; the last one for ever. An error stands for a refused attempt. */
  constructor(peers: (Peer | Error)[], options: Partial<LineClientOptions> = {}) {
    this.client = new LineClient({
      lines: this.#input.readable,
      connect: () => this.#meet(peers.length > 1 ? peers.shift()! : peers[0]!),
      server: { host: "memory", port: 1, tls: false },
      onReply: (text) => this.#note(this.replies, text),
      onService: (message) => this.#note(this.service, message),
      backoff: { minMs: 0 },
      ...options,
    });
    this.ended = this.client.run();
    this.ended.catch(() => {});
  }

  type(...lines: string[]): this {
    for (const line of lines) this.#writer.write(line).catch(() => {});
    return this;
  }

  end(): Promise<number> {
    this.#writer.close().catch(() => {});
    return this.#finish();
  }

  exit(): Promise<number> {
    this.type("exit");
    return this.#finish();
  }

  /** Waits until the client has said so. */
  async says(message: string): Promise<void> {
    while (!this.service.includes(message)) await this.#changed.promise;
  }

  async replied(count: number): Promise<void> {
    while (this.replies.length < count) await this.#changed.promise;
  }

  async #finish(): Promise<number> {
    const unanswered = await this.ended;
    await Promise.all(this.#peers);
    return unanswered;
  }

  #meet(peer: Peer | Error): Promise<FramedConn> {
    if (peer instanceof Error) return Promise.reject(peer);
    const [near, far] = memoryConnPair().map((conn) => new FramedConn(conn)) as [
      FramedConn,
      FramedConn,
    ];
    this.#peers.push(peer(far).catch(() => {}).finally(() => far.close()));
    return Promise.resolve(near);
  }

  #note(list: string[], text: string): void {
    list.push(text);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

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

Deno.test("LineClient.run() ends at exit and reads no further", async () => {
  const session = new Session([echo]).type("a");

  session.type("exit", "b");
  await session.ended;

  assertEquals(session.replies, ["a"]);
  assertEquals(session.service.at(-1), "disconnected: exit");
});

Deno.test("LineClient.run() takes exit with blanks around it", async () => {
  assertEquals(await new Session([echo]).type(" exit\t").ended, 0);
});

Deno.test("LineClient.run() says end of input when the lines have ended", async () => {
  const session = new Session([echo]);

  await session.end();

  assertEquals(session.service, ["connected to memory:1", "disconnected: end of input"]);
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

Deno.test("LineClient.run() shows what the server still says after the end of input", async () => {
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("one");
    await conn.send("two");
  }]).type("Anna");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["one", "two"]]);
});

Deno.test("LineClient.run() waits for a server that is not there yet and loses no line", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused");
  const session = new Session([refused, refused, echo]).type("a", "b");

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
  const session = new Session([async (conn) => {
    for await (const text of conn) {
      if (text === "poison") return;
      await conn.send(text);
    }
  }]).type("poison");
  await session.says(`gave up 1 line: ${MAX_BREAKS} connections broke on it`);
  session.type("a");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [1, ["a"]]);
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

Deno.test("LineClient.run() takes a typed goodbye that is echoed for an answer", async () => {
  const session = new Session([echo]).type("a", "Goodbye: all", "b");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["a", "Goodbye: all", "b"]]);
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

Deno.test("LineClient.run() does not come back when exit was typed before the goodbye", async () => {
  const session = new Session([async (conn) => {
    while (await conn.receive() !== null);
    await conn.send("Goodbye: stopping");
  }]).type("a");

  const unanswered = await session.exit();

  assertEquals(unanswered, 1);
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

Deno.test("LineClient.run() does not try again when nothing but exit was typed", async () => {
  const session = new Session([new Deno.errors.ConnectionRefused("Connection refused")]);

  assertEquals(await session.type("exit").ended, 0);
  assertEquals(session.service.length, 1);
});

Deno.test("LineClient.run() ends at exit while there is no server", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused");
  const session = new Session([refused], {
    backoff: { minMs: 60_000, maxMs: 60_000, random: () => 0 },
  });
  await session.says("no connection to memory:1: Connection refused; trying again in 30.0 s");

  assertEquals(await session.exit(), 0);
});

Deno.test("LineClient.run() tries for the answer a while when exit is typed before the connection", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused");
  const session = new Session([refused], {
    answerTimeoutMs: 5,
    backoff: { minMs: 60_000, maxMs: 60_000 },
  }).type("a");

  assertEquals(await session.exit(), 1);
  assertEquals(session.service.at(-1), "no answer to 1 line");
});

Deno.test("LineClient.run() ends with its input where there is no server and nothing to say", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused");
  const session = new Session([refused], { backoff: { minMs: 60_000, maxMs: 60_000 } });

  assertEquals(await session.end(), 0);
  assertEquals(session.service.length, 1);
});

Deno.test("LineClient.run() tries for the answer a while when the input ends before the connection", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused");
  const session = new Session([refused], { answerTimeoutMs: 5 }).type("a");

  assertEquals(await session.end(), 1);
  assertEquals(session.service.at(-1), "no answer to 1 line");
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
  const session = new Session([
    new Deno.errors.ConnectionRefused("Connection refused"),
    async (conn) => {
      while (await conn.receive() !== null);
      await conn.send("late");
    },
  ]).type("a");

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies], [0, ["late"]]);
});

Deno.test("LineClient.run() waits for the server longer than for an answer after the end of input", async () => {
  using time = new FakeTime();
  const deaf: Peer = async (conn) => {
    while (await conn.receive() !== null);
  };
  const session = new Session([deaf, echo], {
    backoff: { minMs: 60_000, maxMs: 60_000, random: () => 1 },
  }).type("a");
  const ended = session.end();
  await session.says("sent 1 byte");

  await time.tickAsync(2000); // until the half-close
  await session.says("connecting again in 60.0 s");
  await time.tickAsync(60_000);

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
  await time.tickAsync(2000); // until the half-close
  await sawEnd.promise;

  for (const [answered, gate] of gates.entries()) {
    await time.tickAsync(4000);
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
      throw new Deno.errors.ConnectionRefused("Connection refused");
    },
  });

  assertEquals(await session.ended, 0);
  assertEquals(session.service.length, 1);
});

Deno.test("LineClient.run() refuses a line over the limit and lives on", async () => {
  const session = new Session([echo]).type("x".repeat(1024 * 1024 + 1), "я".repeat(512 * 1024));

  const unanswered = await session.end();

  assertEquals([unanswered, session.replies.length], [1, 1]);
  assertStringIncludes(session.service.join("\n"), "not sent: line 1 is over 1048576 bytes");
  assertEquals(session.service.at(-1), "disconnected: end of input");
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

  await assertRejects(() => session.ended, Error, "input failed");
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
  await time.tickAsync(1500);

  assertEquals([await ended, session.replies], [0, ["a", "b"]]);
});

Deno.test("LineClient.run() names the line that is too long", async () => {
  const session = new Session([echo]).type("a", "", "x".repeat(1024 * 1024 + 1));

  assertEquals(await session.end(), 1);
  assertStringIncludes(session.service.join("\n"), "not sent: line 3 is over 1048576 bytes");
});

const CHAT_ERROR = '{"type":"error","code":"bad_message","message":"This is no message"}';

Deno.test("LineClient.run() says which command talks to a chat, and does not come back", async () => {
  let connections = 0;
  const session = new Session([async (conn) => {
    connections++;
    await conn.receive();
    await conn.send(CHAT_ERROR);
  }]).type("hello");

  await assertRejects(() => session.ended, WrongServerError, "deno task chat:client --host memory");
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
  let connections = 0;
  const session = new Session([async (conn) => {
    connections++;
    await conn.send("Goodbye: the server pauses, come back in a moment");
  }], { backoff: { maxMs: 5000, random: () => 0 } }).type("a");

  await time.tickAsync(60_000);
  assert(connections < 40, `${connections}`);
  await session.exit();
});
