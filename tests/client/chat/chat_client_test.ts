import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ChatClient } from "../../../client/chat/chat_client.ts";
import { ChatView } from "../../../client/chat/chat_view.ts";
import { NamesSeen } from "../../../client/chat/names_seen.ts";
import { type KeptToken, TokenFile } from "../../../client/chat/token_file.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { passTime } from "../../support/turns.ts";

/** Notes which logins are kept. */
class NotedTokens extends TokenFile {
  readonly kept: string[] = [];

  constructor() {
    super(undefined);
  }

  override save({ token }: KeptToken): Promise<void> {
    return Promise.resolve(void this.kept.push(token));
  }

  override remove(): Promise<void> {
    return Promise.resolve(void this.kept.splice(0));
  }
}

/** Answers to what a client asks for, by type; what is not there is not answered. */
type Answers = Record<string, object>;

const WELCOME = { type: "welcome", name: "anna", token: "t", expires: 9, last: 0 };
const IN: Answers = {
  hello: { type: "hello", version: 1, server: "chat" },
  login: WELCOME,
  ping: { type: "pong" },
};
const BACK: Answers = { ...IN, login: {}, hello: [IN["hello"]!, WELCOME] };

/** Serves one connection; at `null` it breaks. An answer gets the `ref` of its question. */
async function serveOne(
  conn: FramedConn,
  answers: Record<string, object | null>,
  taken: string[],
): Promise<void> {
  for (let text; (text = await conn.receive()) !== null;) {
    const { type, ref, text: said } = JSON.parse(text);
    if (said !== undefined) taken.push(said);
    const answer = answers[type] ?? null;
    if (answer === null) break;
    for (const message of [answer].flat()) await conn.send(JSON.stringify({ ref, ...message }));
  }
  conn.close();
}

/** A client in a pipe whose input is some lines, and the server's part on each of its connections. */
function openClient(lines: Iterable<string>, ...connections: Record<string, object | null>[]) {
  return openOn({ isInteractive: false }, lines, connections);
}

/** The same, where the lines may be typed by a person. */
function openOn(
  terminal: { isInteractive: boolean },
  lines: Iterable<string> | AsyncIterable<string>,
  connections: Record<string, object | null>[],
) {
  const told: string[] = [];
  const taken: string[] = [];
  const tokens = new NotedTokens();
  const client = new ChatClient({
    terminal: {
      ...terminal,
      print() {},
      ring() {},
      clear() {},
      setPrompt() {},
      async *[Symbol.asyncIterator]() {
        yield* lines;
      },
    },
    connect: () => {
      const [near, far] = memoryConnPair();
      const answers = connections.shift();
      if (answers === undefined) return Promise.reject(new Deno.errors.ConnectionRefused("No"));
      serveOne(new FramedConn(far), answers, taken);
      return Promise.resolve(new FramedConn(near));
    },
    credentials: (refusal) =>
      Promise.resolve(refusal ? null : { name: "anna", password: "pw", register: false }),
    backoff: { minMs: 1, maxMs: 1 },
    view: new ChatView((text) => text),
    names: new NamesSeen(),
    tell: (text) => told.push(text),
    address: "s:1",
    json: false,
    tokens,
  });
  return { client, told, tokens, taken };
}

const LOGGED_OUT = { type: "bye", reason: "logged_out" };
const UNAUTHORIZED = { type: "error", code: "unauthorized", message: "Log in" };
const UNAVAILABLE = { type: "error", code: "unavailable", message: "Try later" };

for (
  const [what, ...connections] of [
    ["at once", { ...IN, logout: LOGGED_OUT }],
    ["on the next connection when this one breaks", { ...IN, logout: null }, {
      ...BACK,
      logout: LOGGED_OUT,
    }],
    ["when the server has forgotten the login already", { ...IN, logout: UNAUTHORIZED }],
    ["when its answer was lost", { ...IN, logout: null }, {
      ...BACK,
      hello: [IN["hello"]!, UNAUTHORIZED],
    }],
  ] as const
) {
  Deno.test(`ChatClient.leave() logs out ${what}, and forgets the login`, async () => {
    const { client, tokens } = openClient(["/logout"], ...connections);

    assertEquals([await client.run(), tokens.kept], [0, []]);
  });
}

for (
  const [what, reason, ...connections] of [
    ["does not log out", "the server did not do it", { ...IN, logout: UNAVAILABLE }],
    ["does not come back", "there is no connection", { ...IN, logout: null }],
  ] as const
) {
  Deno.test(`ChatClient.leave() ends after a while where the server ${what}, and says so`, async () => {
    using time = new FakeTime();
    const { client, told, tokens } = openClient(["/logout"], ...connections);

    let code: number | undefined;
    client.run().then((exitCode) => code = exitCode);
    while (code === undefined) await passTime(time, 1000);

    assertEquals([code, tokens.kept], [1, ["t"]]);
    assertEquals(told.at(-1), `Not logged out: ${reason}`);
  });
}

const SAID = { ...IN, say: { type: "said", id: 1 } };

for (
  const [what, lines, code, ...connections] of [
    ["0 when all was said", ["hi", "there"], 0, SAID],
    ["1 when a line was of no use", ["hi", "/nonsense"], 1, SAID],
    ["1 when the server refused a message", ["hi"], 1, {
      ...IN,
      say: { type: "error", code: "too_long", message: "Too long" },
    }],
    ["1 when nobody was let in", [], 1, {
      ...IN,
      login: { type: "error", code: "bad_credentials", message: "Wrong" },
    }],
    ["1 when the operator ended it", ["hi"], 1, { ...IN, say: { type: "bye", reason: "kicked" } }],
  ] as const
) {
  Deno.test(`ChatClient.run() gives ${what}`, async () => {
    using _time = new FakeTime(); // Nobody waits for a patience that the end of the session has made idle.
    assertEquals(await openClient(lines, ...connections).client.run(), code);
  });
}

Deno.test("ChatClient.run() does not wait for a server when there is nothing to say", async () => {
  using _time = new FakeTime();
  const { client, told } = openClient([]);

  assertEquals(await client.run(), 1);
  assertEquals(told, [
    "no connection to s:1: No; trying again until it is there",
    "Not logged in: no answer from the server",
  ]);
});

Deno.test("ChatClient.run() waits for a server a while when the input has ended", async () => {
  using time = new FakeTime();
  const { client, told } = openClient(["hi", "there"]);

  let code: number | undefined;
  client.run().then((exitCode) => code = exitCode);
  while (code === undefined) await time.tickAsync(1000);

  assertEquals(code, 1);
  assertEquals(told.slice(1), ["Not sent: 2 lines", "Not logged in: no answer from the server"]);
});

Deno.test("ChatClient.run() ends when the connection breaks and there is nothing more to say", async () => {
  using _time = new FakeTime();
  const { client } = openClient(["hi"], { ...SAID, ping: null });

  assertEquals(await client.run(), 0);
});

Deno.test("ChatClient.leave() tells a person what it waits for", async () => {
  using time = new FakeTime();
  const slow = {
    ...IN,
    say: { type: "error", code: "too_fast", message: "Slow", retryAfterMs: 9000 },
  };
  const lines = async function* () {
    await new Promise((resolve) => setTimeout(resolve, 1000)); // By then it is in.
    yield "hi";
  };
  const { client, told } = openOn({ isInteractive: true }, lines(), [slow]);

  let code: number | undefined;
  client.run().then((exitCode) => code = exitCode);
  while (code === undefined) await time.tickAsync(100);

  assertEquals(told.slice(-2), [
    "Leaving as soon as this is said: 1 message",
    "Not sent: 1 message",
  ]);
});

Deno.test("ChatClient.run() takes no line after /quit", async () => {
  const { client, taken } = openClient(["hi", "/quit", "not said"], SAID);

  assertEquals([await client.run(), taken], [0, ["hi"]]);
});

Deno.test("ChatClient.run() reads a pipe no further while 64 messages wait, and tells what was not sent", async () => {
  using time = new FakeTime();
  let read = 0;
  const lines = {
    *[Symbol.iterator]() {
      while (read < 100) yield `line ${++read}`;
    },
  };
  const { client, told, taken } = openClient(lines, { ...IN, say: [] });
  const code = client.run();
  await passTime(time, ...Array(20).fill(1000));
  // One more is at hand, and waits for its turn.
  assertEquals([read, taken], [65, ["line 1"]]);

  client.leave({ logout: false });
  await passTime(time, ...Array(20).fill(1000));

  assertEquals([await code, told.at(-1)], [1, "Not sent: 64 messages"]);
});
