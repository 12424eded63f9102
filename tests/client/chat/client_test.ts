import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ChatClient } from "../../../client/chat/client.ts";
import { ChatView } from "../../../client/chat/view.ts";
import type { ChatConn } from "../../../client/session/connection.ts";
import { passTime, turns } from "../../support/turns.ts";
import { HELLO, MemoryLogins, memoryPair } from "../session/scripted_server.ts";

/** Answers to what a client asks for, by type; what is not there is not answered. */
type Answers = Record<string, object>;

const WELCOME = { type: "welcome", name: "anna", token: "t", expires: 9, last: 0 };
const IN: Answers = {
  hello: HELLO,
  resume: [HELLO, WELCOME],
  login: WELCOME,
  ping: { type: "pong" },
  who: { type: "users", names: ["anna"] },
};
/** Serves one connection; at `null` it breaks. An answer gets the `ref` of its question. */
async function serveOne(
  conn: ChatConn,
  answers: Record<string, object | null>,
  taken: string[],
): Promise<void> {
  for (let text; (text = await conn.receive()) !== null;) {
    const { type, ref, text: said, token } = JSON.parse(text);
    if (said !== undefined) taken.push(said);
    const answer = answers[token ? "resume" : type] ?? null;
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
  mayLogInAgain = false,
) {
  const told: string[] = [];
  const printed: string[] = [];
  const taken: string[] = [];
  const logins = new MemoryLogins();
  const client = new ChatClient({
    terminal: {
      ...terminal,
      print: (text) => void printed.push(text),
      ring() {},
      clear() {},
      setPrompt() {},
      async *[Symbol.asyncIterator]() {
        yield* lines;
      },
    },
    connect: () => {
      const [near, far] = memoryPair();
      const answers = connections.shift();
      if (answers === undefined) return Promise.reject(new Deno.errors.ConnectionRefused("No"));
      serveOne(far, answers, taken);
      return Promise.resolve(near);
    },
    credentials: (refusal) =>
      Promise.resolve(
        refusal && !mayLogInAgain ? null : { name: "anna", password: "pw", register: false },
      ),
    backoff: { minMs: 1, maxMs: 1 },
    view: new ChatView((text) => text),
    tell: (text) => told.push(text),
    address: "s:1",
    json: false,
    logins,
  });
  const keptTokens = () => logins.kept.map(({ token }) => token);
  return { client, told, printed, keptTokens, taken };
}

const LOGGED_OUT = { type: "bye", reason: "logged_out" };
const UNAUTHORIZED = { type: "error", code: "unauthorized", message: "Log in" };
const UNAVAILABLE = { type: "error", code: "unavailable", message: "Try later" };

for (
  const [what, ...connections] of [
    ["at once", { ...IN, logout: LOGGED_OUT }],
    ["on the next connection when this one breaks", { ...IN, logout: null }, {
      ...IN,
      logout: LOGGED_OUT,
    }],
    ["when the server has forgotten the login already", { ...IN, logout: UNAUTHORIZED }],
    ["when its answer was lost", { ...IN, logout: null }, {
      ...IN,
      resume: [HELLO, UNAUTHORIZED],
    }],
  ] as const
) {
  Deno.test(`ChatClient.leave() logs out ${what}, and forgets the login`, async () => {
    const { client, keptTokens } = openClient(["/logout"], ...connections);

    assertEquals([await client.run(), keptTokens()], [0, []]);
  });
}

for (
  const [what, reason, ...connections] of [
    ["does not log out", "no answer", { ...IN, logout: UNAVAILABLE }],
    ["does not come back", "no connection", { ...IN, logout: null }],
  ] as const
) {
  Deno.test(`ChatClient.leave() ends after a while where the server ${what}, and says so`, async () => {
    using time = new FakeTime();
    const { client, told, keptTokens } = openClient(["/logout"], ...connections);

    let code: number | undefined;
    client.run().then((exitCode) => code = exitCode);
    while (code === undefined) await passTime(time, 1000);

    assertEquals([code, keptTokens()], [1, ["t"]]);
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
    "no connection to s:1: No; trying again until the server answers",
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

Deno.test("ChatClient.run() waits 10 s in all for a server that greets and does not let it in", async () => {
  using time = new FakeTime();
  const { client, told } = openClient(["hi"], { hello: HELLO, login: [] });
  const startedAt = Date.now();

  let code: number | undefined;
  client.run().then((exitCode) => code = exitCode);
  while (code === undefined) await time.tickAsync(1000);

  assertEquals([code, (Date.now() - startedAt) / 1000 < 12], [1, true]);
  assertEquals(told, ["Not sent: 1 line", "Not logged in: no answer from the server"]);
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
    "Leaving when this is sent: 1 message",
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

/** Lines of a person who begins to type after the login. */
async function* typed(...lines: string[]) {
  await turns(50);
  yield* lines;
  await turns(50);
}

Deno.test("ChatClient greets a person once with who is here, and says that there is help", async () => {
  const { client, printed } = openOn({ isInteractive: true }, typed("/who"), [IN]);

  await client.run();

  assertEquals(printed.filter((line) => line.startsWith("Here: ")), [
    "Here: anna. /help shows the commands",
    "Here: anna",
  ]);
});

Deno.test("ChatClient says that a private message to a user who is away is delivered later", async () => {
  const tell = { ...IN, tell: { type: "said", id: 1 } };
  const { client, told } = openOn({ isInteractive: true }, typed("/msg boris hi"), [
    tell,
  ]);

  await client.run();

  assertEquals(told.filter((line) => line.includes("is not here")), [
    "boris is not here: the message is delivered when they come back",
  ]);
});

Deno.test("ChatClient.run() sends no private message that was read before its login ended", async () => {
  using time = new FakeTime();
  const lines = async function* () {
    yield "a";
    await turns(20); // The connection breaks.
    yield "/msg boris secret";
  };
  const back = { ...SAID, resume: [HELLO, UNAUTHORIZED], tell: { type: "said", id: 2 } };
  const connections = [{ ...IN, say: null }, back];
  const { client, told, taken } = openOn({ isInteractive: false }, lines(), connections, true);

  const code = client.run();
  await passTime(time, 1, 1000, 1000);

  assertEquals([await code, taken], [1, ["a", "a"]]);
  assertEquals(told.filter((text) => text.startsWith("Not sent")).length, 1);
});
