import { assert, assertEquals, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { type Of, PASSWORD } from "../../../tools/shared/chat_client.ts";
import { serveInMemory, startAuthentication } from "../../support/chat_server.ts";
import { stubClock, turns } from "../../support/turns.ts";

Deno.test("Member answers ping and whoami, and refuses what belongs before the login", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  await anna.register("Anna");

  assertEquals(await anna.ask({ type: "ping" }), { type: "pong" });
  assertEquals(await anna.ask({ type: "whoami" }), { type: "you", name: "Anna" });
  for (
    const message of [
      { type: "hello", version: 1 },
      { type: "login", name: "Anna", password: PASSWORD },
      { type: "register", name: "Bob", password: PASSWORD },
      { type: "tell", ref: "1", to: "Anna", text: "hello" },
      { type: "who" },
    ]
  ) {
    const answer = await anna.ask(message);
    assert(answer?.type === "error" && answer.code === "bad_message");
  }
});

Deno.test("Member revokes the token at logout, for every connection that came in by it", async () => {
  await using auth = startAuthentication();
  using first = await auth.connect();
  const token = await first.register("Anna");
  using same = await auth.connect();
  await same.resume(token);
  using other = await auth.connect();
  await other.logIn("Anna");

  await first.send({ type: "logout" });
  const goodbye = await first.rest();

  assertEquals(goodbye, [{ type: "bye", reason: "logged_out" }]);
  const refusal = await same.ask({ type: "say", ref: "7", text: "x" });
  assert(refusal?.type === "error");
  assertEquals([refusal.code, refusal.ref], ["unauthorized", "7"]);
  assertEquals(await other.ask({ type: "whoami" }), { type: "you", name: "Anna" });
  await same.logIn("Anna");
  assertEquals(await same.ask({ type: "whoami" }), { type: "you", name: "Anna" });
});

Deno.test("Member tells everybody at once that all users were forgotten, and asks them to register again", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const token = await anna.register("Anna");
  using bob = await auth.connect();
  await bob.register("Bob");

  const cleared = auth.members.clear();

  assertEquals(cleared, 2);
  for (const [client, name] of [[anna, "Anna"], [bob, "Bob"]] as const) {
    assertEquals(await client.next(), {
      type: "error",
      code: "unauthorized",
      message: "Your session was ended: log in again",
    });
    const refusal = await client.ask({ type: "ping" });
    assert(refusal?.type === "error" && refusal.code === "unauthorized");
    assertEquals((await client.ask({ type: "hello", version: 1, token }))?.type, "hello");
    const invalid = await client.next();
    assert(invalid?.type === "error" && invalid.code === "unauthorized");
    const unknown = await client.ask({ type: "login", name, password: PASSWORD });
    assert(unknown?.type === "error" && unknown.code === "bad_credentials");
    await client.send({ type: "register", name, password: PASSWORD });
    assertEquals((await client.until("welcome")).name, name);
  }
});

for (const reason of ["paused", "shutdown", "kicked"] as const) {
  Deno.test(`Member ends with bye ${reason}, and tells who may come back when`, async () => {
    await using auth = startAuthentication();
    using before = await auth.connect();
    await before.ask({ type: "hello", version: 1 });
    using anna = await auth.connect();
    await anna.register("Anna");

    const ending = {
      paused: () => auth.server.pause(),
      shutdown: () => auth.server.shutdown(),
      kicked: () => auth.server.end("kicked"),
    };
    ending[reason]();

    const bye: Of<"bye"> = {
      type: "bye",
      reason,
      ...(reason !== "kicked" && { retryAfterMs: 1000 }),
    };
    assertEquals(await anna.rest(), [bye]);
    assertEquals(await before.rest(), [bye]);
  });
}

Deno.test("Member finds a dead peer by its silence", async () => {
  await using auth = startAuthentication({ idleTimeoutMs: 40 });
  using anna = await auth.connect();
  await anna.register("Anna");

  assertEquals(await anna.rest(), [{ type: "bye", reason: "idle" }]);
  assertEquals(auth.names(), []);
});

for (const [what, sent] of Object.entries({ pings: '{"type":"ping"}', junk: "no message" })) {
  Deno.test(`Member reads ${what} no faster than its pace, and answers all in the end`, async () => {
    let now = 0;
    using _clock = stub(performance, "now", () => now);
    const pace = { burst: 3, perSecond: 20 };
    await using auth = startAuthentication({ pace });
    using anna = await auth.connect();
    await anna.register("Anna");

    for (let i = 0; i < 6; i++) anna.send(sent);
    for (let i = 0; i < 3; i++) await anna.next();
    await turns(20);
    const read = auth.events.filter(({ type }) => type === "received").length;
    now += 150;
    for (let i = 0; i < 3; i++) await anna.next();
    now += 150;

    // Hello and register came before.
    assertEquals(read, 2 + 3);
    assertEquals(anna.received.length, 2 + 6);
  });
}

for (const [maxPerAddress, logins] of [[4, 1], [8, 2], [64, 16]] as const) {
  Deno.test(`Members lets an account have ${logins} of ${maxPerAddress} connections`, async () => {
    await using auth = startAuthentication({ maxPerAddress });
    using stack = new DisposableStack();
    using first = await auth.connect();
    const token = await first.register("Anna");
    for (let i = 1; i < logins; i++) await stack.use(await auth.connect()).resume(token);

    using refused = await auth.connect();
    await refused.send({ type: "hello", version: 1, token });
    const [, bye] = await refused.rest();
    using other = await auth.connect();
    await other.register("Bob");
    await first.conn.closeWrite();
    await first.rest();
    using again = await auth.connect();
    await again.resume(token);

    assertEquals(bye, { type: "bye", reason: "full", retryAfterMs: 5000 });
  });
}

const DAY_MS = 86_400_000;

Deno.test("Member lets a session slide while it is used, and ends it after 30 days", async () => {
  const start = Date.now();
  using clock = stubClock(start);
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const token = await anna.register("Anna");

  for (let day = 1; day < 30; day++) {
    clock.ms += DAY_MS;
    assertEquals((await anna.ask({ type: "ping" }))?.type, "pong");
  }
  assertEquals(auth.members.sessions.resume(token)?.expiresAt, start + 30 * DAY_MS);
  clock.ms += DAY_MS;
  const refusal = await anna.ask({ type: "say", ref: "7", text: "x" });

  assert(refusal?.type === "error");
  assertEquals([refusal.code, refusal.ref, auth.names()], ["unauthorized", "7", []]);
});

Deno.test("Member ends the session of a silent client when its token expires", async () => {
  using time = new FakeTime();
  using server = serveInMemory();
  const { client, members, info } = server;
  await client.register("Anna");

  await time.tickAsync(7 * DAY_MS - 1);
  const before = members.nameOf(info);
  await time.tickAsync(1);

  assertEquals([before, members.nameOf(info)], ["Anna", undefined]);
});

Deno.test("Member ends a session whose token another program has deleted", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  await anna.register("Anna");
  auth.database.prepare("DELETE FROM sessions").run();

  const refusal = await anna.ask({ type: "whoami" });

  assert(refusal?.type === "error" && refusal.code === "unauthorized");
});

Deno.test("Members ends the session of a silent client whose token was replaced", async () => {
  await using auth = startAuthentication();
  using replaced = await auth.connect();
  await replaced.register("Anna");
  const { id, name } = auth.members.accounts.find("Anna")!;
  const tokens = Array.from({ length: 31 }, () => auth.members.sessions.create({ id, name }).token);
  using kept = await auth.connect();
  await kept.resume(tokens[0]!);
  const before = auth.names();
  using newest = await auth.connect();
  await newest.logIn("Anna");

  assertEquals([before, auth.names()], [["Anna", "Anna"], ["Anna", "Anna"]]);
  assertEquals(await kept.ask({ type: "whoami" }), { type: "you", name: "Anna" });
  const refusal = await replaced.ask({ type: "whoami" });
  assertEquals(refusal?.type === "error" && refusal.code, "unauthorized");
});

Deno.test("Members.kick() revokes the token of a member, for all connections that came in by it", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const token = await anna.register("Anna");
  using same = await auth.connect();
  await same.resume(token);
  using other = await auth.connect();
  const otherToken = await other.logIn("Anna");

  auth.members.kick(auth.server.peers()[0]!);

  assertEquals(auth.names(), ["Anna"]);
  assertEquals(auth.members.sessions.resume(token), null);
  assert(auth.members.sessions.resume(otherToken));
  assertEquals((await same.ask({ type: "ping" }))?.type, "error");
  assertEquals((await other.ask({ type: "ping" }))?.type, "pong");
});

Deno.test("Member answers all that was sent before it knew of the end of its session, and lets it log in again", async () => {
  await using auth = startAuthentication({ maxPerAddress: 4 });
  using stack = new DisposableStack();
  const clients = [];
  for (const name of ["Anna", "Bob", "Carl"]) {
    clients.push(stack.use(await auth.connect()));
    await clients.at(-1)!.register(name);
  }

  auth.members.clear();
  for (const [i, client] of clients.entries()) {
    for (const ref of ["1", "2", "3"]) {
      client.send({ type: "tell", ref, to: "Bob", text: "x".repeat(8000) });
    }
    client.send({ type: "hello", version: 1 });
    client.send({ type: "register", name: `New${i}`, password: PASSWORD });
  }

  for (const client of clients) {
    const before = client.received.length;
    await client.until("welcome");
    const answers = client.received.slice(before);
    assertEquals(answers.map((m) => "ref" in m ? m.ref : m.type), [
      "error",
      "1",
      "2",
      "3",
      "hello",
      "welcome",
    ]);
  }
});

Deno.test("Members makes an account and its session both or neither, and removes all users or none", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  await anna.register("Anna");
  using bob = await auth.connect();
  await bob.ask({ type: "hello", version: 1 });
  const { database } = auth;
  const trigger = (when: string, what: string) =>
    database.prepare(
      `CREATE TEMP TRIGGER broken BEFORE ${when} BEGIN SELECT RAISE(ABORT, '${what}'); END`,
    ).run();
  const register = { type: "register", name: "Bob", password: PASSWORD };

  trigger("INSERT ON sessions", "disk");
  const refusal = await bob.ask(register);
  database.prepare("DROP TRIGGER broken").run();
  const welcome = await bob.ask(register);
  trigger("DELETE ON sessions", "disk");
  assertThrows(() => auth.members.clear(), StorageError);
  database.prepare("DROP TRIGGER broken").run();

  assert(refusal?.type === "error" && refusal.code === "unavailable");
  assertEquals(welcome?.type, "welcome");
  assertEquals((await anna.ask({ type: "whoami" }))?.type, "you");
  assertEquals(auth.members.clear(), 2);
});
