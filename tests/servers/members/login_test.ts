import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";

import type { ErrorCode } from "../../../lib/chat/protocol.ts";
import type { Members } from "../../../servers/members/members.ts";
import { type ChatClient, type Of, PASSWORD } from "../../../tools/shared/chat_client.ts";
import {
  serveInMemory,
  startAuthentication,
  type TestServerOptions,
} from "../../support/chat_server.ts";
import { isPending, stubClock, turns } from "../../support/turns.ts";

const HELLO = { type: "hello", version: 1 };

function helloOf({ members }: { members: Members }): Of<"hello"> {
  return { type: "hello", version: 1, server: "auth", data: members.dataId };
}

async function refused(client: ChatClient, message: object | string): Promise<Of<"error">> {
  const answer = await client.ask(message);
  assert(answer?.type === "error", JSON.stringify(answer));
  return answer;
}

async function codeOf(client: ChatClient, message: object | string): Promise<ErrorCode> {
  return (await refused(client, message)).code;
}

/** A server, and a client of it that has said hello. */
async function startWithClient(options: TestServerOptions = {}) {
  const auth = startAuthentication(options);
  const client = await auth.connect();
  await client.ask(HELLO);
  return { auth, client, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

function register(name: string, password = PASSWORD): object {
  return { type: "register", name, password };
}

function login(name: string, password = PASSWORD): object {
  return { type: "login", name, password };
}

Deno.test("Login greets with the version it speaks, and waits for hello", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();

  assertEquals((await refused(client, login("Anna"))).message, "Say hello first");
  assertEquals(await client.ask(HELLO), helloOf(auth));
  assertEquals(await codeOf(client, { type: "ping" }), "unauthorized");
});

Deno.test("Login tells a client of another version so, and lets it say hello again", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();

  for (const version of [0, 2, 1e15]) {
    assertEquals(await client.ask({ type: "hello", version }), helloOf(auth));
    const refusal = await client.next();
    assert(refusal?.type === "error" && refusal.code === "bad_message");
    assertEquals(await codeOf(client, register("Anna")), "bad_message");
  }

  assertMatch(await client.register("Anna"), /^[\w-]{43}$/);
});

Deno.test("Login registers, logs in, and tells the name as it was registered", async () => {
  await using auth = startAuthentication();
  using first = await auth.connect();
  using second = await auth.connect();
  const before = Date.now();

  await first.register("  Ａnna ");
  await second.logIn("ANNA");

  for (const { received } of [first, second]) {
    const welcome = received.at(-1);
    assert(welcome?.type === "welcome");
    assertEquals([welcome.name, welcome.last], ["Anna", 0]);
    assert(
      welcome.expires >= before + 7 * 86_400_000 && welcome.expires <= Date.now() + 7 * 86_400_000,
    );
  }
  assertEquals(await second.ask({ type: "whoami" }), { type: "you", name: "Anna" });
  assertEquals(auth.names(), ["Anna", "Anna"]);
});

Deno.test("Login lets a client in by its token, again and again", async () => {
  await using auth = startAuthentication();
  using first = await auth.connect();
  const token = await first.register("Anna");
  first.conn.close();

  for (let i = 0; i < 3; i++) {
    using again = await auth.connect();
    const welcome = await again.resume(token);
    assertEquals([welcome.name, welcome.token], ["Anna", token]);
  }
});

Deno.test("Login refuses an expired, revoked or unknown token, and then takes a password", async () => {
  using clock = stubClock();
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const expired = await anna.register("Anna");
  clock.ms += 7 * 86_400_000;
  using phone = await auth.connect();
  const revoked = await phone.logIn("Anna");
  phone.send({ type: "logout" });
  await phone.rest();

  const garbage = ["", "x", "A".repeat(43), "A".repeat(3000), "😀\0'--", `${revoked}=`];
  for (const token of [expired, revoked, ...garbage]) {
    using client = await auth.connect();
    await client.ask({ ...HELLO, token });
    const refusal = await client.next();
    assert(refusal?.type === "error" && refusal.code === "unauthorized", token);
    await client.send(login("Anna"));
    assertEquals((await client.until("welcome")).name, "Anna");
  }
});

Deno.test("Login answers a wrong password and an unknown name with the same bytes", async () => {
  const start = await startWithClient();
  await using _auth = start.auth;
  using client = start.client;
  await start.auth.members.accounts.register("Anna", PASSWORD);

  const answers = [];
  for (
    const [name, password] of [["Anna", "wrong horse"], ["Nobody", PASSWORD], [
      "no name!",
      PASSWORD,
    ], ["Anna", ""]]
  ) {
    answers.push(await client.conn.request(JSON.stringify(login(name!, password))));
  }

  assertEquals(new Set(answers).size, 1);
  assertEquals(
    answers[0],
    `{"type":"error","code":"bad_credentials","message":"The name or the password is wrong"}`,
  );
});

Deno.test("Login slows guessing at one name, tells for how long, and lets in after it", async () => {
  using clock = stubClock();
  const { auth, client } = await startWithClient();
  await using _auth = auth;
  using _client = client;
  await auth.members.accounts.register("Anna", PASSWORD);

  for (let i = 0; i < 3; i++) {
    assertEquals(await codeOf(client, login("Anna", "wrong horse")), "bad_credentials");
  }
  const { code, retryAfterMs } = await refused(client, login("ANNA"));
  clock.ms += retryAfterMs!;

  assertEquals([code, retryAfterMs], ["throttled", 1000]);
  assertEquals((await client.ask(login("Anna")))?.type, "welcome");
});

Deno.test("Login refuses what is no name or no password, and tells why", async () => {
  const { auth, client } = await startWithClient();
  await using _auth = auth;
  using _client = client;

  for (
    const name of ["", " ", "a b", "a\u0000b", "x".repeat(33), "a\u202eb", "😀", "a/b", "\u0301"]
  ) {
    assertEquals(await codeOf(client, register(name)), "bad_name", JSON.stringify(name));
  }
  for (const password of ["", "1234567", "x".repeat(257)]) {
    assertEquals(await codeOf(client, register("Anna", password)), "weak_password");
  }
  for (const name of ["__proto__", "constructor", "Ærøskøbing", "日本語", "x".repeat(32)]) {
    using other = await auth.connect();
    await other.register(name);
    assertEquals(await other.ask({ type: "whoami" }), { type: "you", name });
  }
});

for (const busy of [false, true]) {
  Deno.test(`Login says goodbye to a client that does not log in within its time, ${busy ? "busy" : "silent"}`, async () => {
    using time = new FakeTime();
    using login = serveInMemory();
    const { client } = login;

    if (busy) await client.ask(HELLO);
    for (let ms = 0; ms < 99; ms++) {
      await time.tickAsync(1);
      if (busy) assertEquals(await codeOf(client, { type: "ping" }), "unauthorized");
    }
    assert(await isPending(login.served));
    await time.tickAsync(1);

    assert(!await isPending(login.served));
    assertEquals(await client.next(), { type: "bye", reason: "idle" });
  });
}

Deno.test("Login sets the client no time any more once it is in, and again when it is told that its session has ended", async () => {
  using time = new FakeTime();
  using login = serveInMemory();
  const { client, members } = login;

  await client.register("Anna");
  await time.tickAsync(1000);
  assertEquals((await client.ask({ type: "ping" }))?.type, "pong");
  members.clear();
  await client.until("error");
  await time.tickAsync(1000);
  const refusal = await refused(client, { type: "say", ref: "7", text: "x".repeat(8000) });
  assertEquals([refusal.code, refusal.ref], ["unauthorized", "7"]);
  await time.tickAsync(60);
  await client.ask(HELLO);
  await time.tickAsync(60);
  assert(await isPending(login.served));
  await time.tickAsync(40);

  assert(!await isPending(login.served));
  assertEquals(await client.next(), { type: "bye", reason: "idle" });
});

Deno.test("Login takes messages up to 4 KiB before login, and 16 KiB after", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();
  const padded = (message: object, bytes: number) => JSON.stringify(message).padEnd(bytes);

  await client.ask(padded(HELLO, 4096));
  await client.ask(padded(register("Anna"), 4096));
  assertEquals(await client.ask(padded({ type: "whoami" }, 16_384)), { type: "you", name: "Anna" });
  await client.send(padded({ type: "ping" }, 16_385));
  assertEquals(await client.rest(), [{ type: "bye", reason: "protocol" }]);

  using other = await auth.connect();
  await other.ask(HELLO);
  await other.send(padded(register("Bob"), 4097));
  assertEquals(await other.rest(), [{ type: "bye", reason: "protocol" }]);
});

Deno.test("Login takes the last of duplicate keys, and ignores keys it does not know", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();

  await client.ask('{"type":"login","type":"hello","version":9,"version":1,"colour":"red"}');

  assertEquals((await client.ask({ ...register("Anna"), since: "x" }))?.type, "welcome");
});

Deno.test("Login tells when storage is broken, and lets in when it works again", async () => {
  const { auth, client } = await startWithClient();
  await using _auth = auth;
  using _client = client;
  auth.database.prepare("PRAGMA query_only = ON").get();

  const refusal = await refused(client, register("Anna"));
  auth.database.prepare("PRAGMA query_only = OFF").get();

  assertEquals([refusal.code, refusal.retryAfterMs], ["unavailable", 1000]);
  assertEquals(auth.errors.length, 1);
  assertEquals((await client.ask(register("Anna")))?.type, "welcome");
});

Deno.test("Login keeps nothing of a client that is gone before the welcome", async () => {
  using login = serveInMemory();
  const { members, conn, client } = login;
  const { accounts } = members;
  const makeAccount = accounts.register.bind(accounts);
  accounts.register = async (...args) => {
    const session = await makeAccount(...args);
    conn.close();
    return session;
  };

  for (const message of [HELLO, register("Anna")]) await client.send(message);
  await assertRejects(() => login.served);

  assertEquals(members.nameOf(login.info), undefined);
});

Deno.test("Login reads no faster than its pace, and the login itself comes through", async () => {
  let now = 0;
  using _clock = stub(performance, "now", () => now);
  const loginPace = { burst: 3, perSecond: 20 };
  await using auth = startAuthentication({ loginPace });
  using client = await auth.connect();

  for (const message of [HELLO, HELLO, "no message", HELLO, register("Anna")]) client.send(message);
  for (let i = 0; i < 3; i++) await client.next();
  await turns(20);
  const read = auth.events.filter(({ type }) => type === "received").length;
  now += 100;
  const rest = [await client.next(), await client.next()];

  assertEquals(read, 3);
  assertEquals(rest.map((message) => message?.type), ["hello", "welcome"]);
  // Who is in begins anew.
  assertEquals(await client.ask({ type: "ping" }), { type: "pong" });
});
