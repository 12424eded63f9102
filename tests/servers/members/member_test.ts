import { assert, assertEquals } from "@std/assert";
import { type Of, PASSWORD } from "../../../tools/shared/chat_client.ts";
import { startAuthentication } from "../../support/chat_server.ts";
import { turns } from "../../support/turns.ts";

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
      { type: "say", ref: "1", text: "hello" },
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

Deno.test("Member asks everybody to register again after all users were forgotten", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const token = await anna.register("Anna");
  using bob = await auth.connect();
  await bob.register("Bob");

  const cleared = auth.members.clear();

  assertEquals(cleared, 2);
  for (const [client, name] of [[anna, "Anna"], [bob, "Bob"]] as const) {
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
    const pace = { burst: 3, perSecond: 20, now: () => now };
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
