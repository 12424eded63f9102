import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { type ChatClient, idsIn, PASSWORD, textsIn } from "../../tools/shared/chat_client.ts";
import { startChat } from "../support/chat_server.ts";
import { testInFolder } from "../support/permissions.ts";

Deno.test("chat: said comes only after the message is committed", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  const order: string[] = [];
  const append = chat.history.append.bind(chat.history);
  chat.history.append = (batch) => {
    const stored = append(batch);
    order.push(`committed ${chat.history.lastId}`);
    return stored;
  };

  for (let i = 1; i <= 3; i++) order.push(`said ${await anna.say(`text ${i}`)}`);

  assertEquals(order, [1, 2, 3].flatMap((id) => [`committed ${id}`, `said ${id}`]));
});

Deno.test("chat: ids rise by one, and everybody sees the same order", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using bob = await chat.enter("Bob");
  using carl = await chat.enter("Carl");
  const people = [anna, bob, carl];

  for (let i = 0; i < 50; i++) {
    for (const person of people) person.send({ type: "say", ref: `${i}`, text: `${i}` });
  }
  for (const person of people) while (idsOf(person).length < 150) await person.next();

  const all = Array.from({ length: 150 }, (_, i) => i + 1);
  for (const person of people) assertEquals(idsOf(person), all);
  assertEquals(chat.history.since(0, 1, 1000).map(({ id }) => id), all);

  function idsOf({ received }: typeof anna): number[] {
    return received.filter((m) => m.type === "message" || m.type === "said").map(({ id }) => id);
  }
});

Deno.test("chat: the sender gets said, its other connections and the others get the copy", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using bob = await chat.enter("Bob");
  using phone = await chat.connect();
  await phone.logIn("anna");
  await Promise.all([anna.all(), phone.all()]);

  await anna.say("hello", "1");

  const copies = (await Promise.all([phone.all(), bob.all()])).map((all) => all.at(-1));
  for (const copy of copies) {
    assert(copy?.type === "message" && copy.at > 1_700_000_000_000);
    assertEquals(copy, { type: "message", id: 1, at: copy.at, from: "Anna", text: "hello" });
  }
  assertEquals(anna.received.at(-1), { type: "said", ref: "1", id: 1 });
  assertEquals(await anna.all(), []);
});

Deno.test("chat: a ref said again is answered with the first id and goes to nobody", async () => {
  await using chat = startChat();
  using anna = await chat.connect();
  const token = await anna.register("Anna");
  using bob = await chat.enter("Bob");
  await anna.all();

  for (const text of ["first", "again"]) await anna.send({ type: "say", ref: "1", text });
  await anna.send({ type: "tell", ref: "1", to: "Bob", text: "again" });
  const ids = [await anna.until("said"), await anna.until("said"), await anna.until("said")];
  anna.conn.close();
  using later = await chat.connect();
  await later.resume(token);
  ids.push({ type: "said", ref: "1", id: await later.say("again", "1") });

  assertEquals(ids.map(({ id }) => id), [1, 1, 1, 1]);
  assertEquals(textsIn(await bob.all()), ["first"]);
  assertEquals(await bob.say("his own", "1"), 2);
});

testInFolder(
  "chat: a ref said again after a restart is answered with the first id",
  async (folder) => {
    const path = `${folder}/chat.db`;
    let token = "";
    {
      await using chat = startChat({ path });
      using anna = await chat.connect();
      token = await anna.register("Anna");
      await anna.say("first", "1");
    }

    {
      await using chat = startChat({ path });
      using anna = await chat.connect();
      const { last } = await anna.resume(token);
      assertEquals([last, await anna.say("again", "1"), await anna.say("new", "2")], [1, 1, 2]);
      assertEquals(textsIn(anna.received), ["first"]);
    }
  },
);

Deno.test("chat: one slow reader among many delays nobody, is dropped, and catches up", async () => {
  await using chat = startChat();
  using slow = await chat.connect();
  const token = await slow.register("Slow");
  await slow.all();
  using anna = await chat.enter("Anna");
  const fast: ChatClient[] = [];
  for (let i = 0; i < 100; i++) fast.push(await chat.enter(`fast${i}`));
  const text = "x".repeat(4096);
  let spoken = 0;

  // Each round waits for all the fast ones: had the slow one delayed them, this would never end.
  while (chat.tooSlow.length === 0) {
    for (let i = 0; i < 100; i++) {
      anna.send({ type: "tell", ref: `t${spoken}.${i}`, to: "Slow", text });
    }
    await anna.say(`round ${++spoken}`, `${spoken}`);
    await Promise.all(fast.map((client) => client.until("message")));
    assertLessOrEqual(spoken, 100);
  }

  const rounds = Array.from({ length: spoken }, (_, i) => `round ${i + 1}`);
  for (const client of fast) assertEquals(textsIn(client.received), rounds);
  const got = await slow.rest();
  assertEquals(got.at(-1), { type: "bye", reason: "too_slow", retryAfterMs: 1000 });
  using again = await chat.connect();
  const since = idsIn(slow.received).at(-1)!;
  const { last } = await again.resume(token, { since });
  assertGreater(last, since);
  await again.all();
  const ids = [...idsIn(slow.received), ...idsIn(again.received)];
  assertEquals(ids, Array.from({ length: last }, (_, i) => i + 1));
  fast.forEach((client) => client.conn.close());
});

Deno.test("chat: who asks for more than it reads is dropped like any slow reader", async () => {
  await using chat = startChat();
  using greedy = await chat.enter("Greedy");
  using anna = await chat.enter("Anna");
  const text = "x".repeat(4096);
  for (let i = 0; i < 100; i++) await anna.say(text);

  for (let i = 0; i < 100; i++) greedy.send({ type: "history", limit: 100 });
  while (chat.tooSlow.length === 0) await anna.tell("Greedy", text);
  greedy.conn.close();
  while (chat.server.connections > 1) await anna.all();
  await anna.all();

  const end = chat.events.find((event) => event.type === "disconnected");
  assert(end?.type === "disconnected" && end.conn === chat.tooSlow[0]);
  assert(end.reason === "ended" || end.reason === "lost", `${end.reason}: ${end.error}`);
  assertEquals(anna.received.filter(({ type }) => type === "left").length, 1);
});

Deno.test("chat: private messages reach the two people only, in history and replay too", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using bob = await chat.connect();
  const bobToken = await bob.register("Bob");
  await bob.all();
  using eve = await chat.connect();
  const eveToken = await eve.register("Eve");
  await eve.all();
  using phone = await chat.connect();
  await phone.logIn("Anna");
  await Promise.all([anna.all(), bob.all(), phone.all()]);

  const ids = [await anna.tell("bOB", "secret"), await anna.say("public")];
  await bob.send({ type: "tell", ref: "1", to: "Anna", text: "answer" });

  assertEquals(textsIn(await bob.all()), ["secret", "public"]);
  assertEquals(bob.received.filter((m) => m.type === "message")[0]!.to, "Bob");
  await anna.until("message");
  assertEquals(textsIn(await phone.all()), ["secret", "public", "answer"]);
  assertEquals(textsIn(await eve.all()), ["public"]);
  assertEquals(ids, [1, 2]);
  const expectations: [ChatClient, string[]][] = [
    [bob, ["secret", "public", "answer"]],
    [eve, ["public"]],
  ];
  for (const [client, expected] of expectations) {
    await client.send({ type: "history" });
    assertEquals(textsIn(await client.all()), expected);
  }
  using bobAgain = await chat.connect();
  await bobAgain.resume(bobToken, { since: 0 });
  assertEquals(textsIn(await bobAgain.all()), ["secret", "public", "answer"]);
  using eveAgain = await chat.connect();
  await eveAgain.resume(eveToken, { since: 0 });
  assertEquals(textsIn(await eveAgain.all()), ["public"]);
});

Deno.test("chat: users are announced once, however many connections they have", async () => {
  await using chat = startChat();
  using watcher = await chat.enter("Watcher");
  using first = await chat.connect();
  await first.register("Anna");
  using second = await chat.connect();
  await second.logIn("ANNA");
  await Promise.all([first.all(), second.all()]);

  assertEquals(await who(), ["Watcher", "Anna"]);
  first.send({ type: "logout" });
  await first.rest();
  assertEquals(await who(), ["Watcher", "Anna"]);
  second.send({ type: "logout" });
  await second.rest();
  const { at } = await watcher.until("left");

  const about = watcher.received.filter(({ type }) => type === "joined" || type === "left");
  assertEquals(about.map((m) => [m.type, "name" in m && m.name]), [["joined", "Anna"], [
    "left",
    "Anna",
  ]]);
  assertGreater(at, 1_700_000_000_000);
  assertEquals(await who(), ["Watcher"]);

  async function who() {
    await watcher.send({ type: "who" });
    return (await watcher.until("users")).names;
  }
});

Deno.test("chat: a list of users may be longer than what clients may send", async () => {
  await using chat = startChat();
  const names = Array.from({ length: 200 }, (_, i) => `${"𐐀".repeat(28)}-${100 + i}`);
  const seats = names.map((name, i) =>
    chat.room.join({ name, key: 1000 + i, deliver() {}, said() {} })
  );
  using anna = await chat.enter("Anna");

  await anna.send({ type: "who" });

  assertEquals((await anna.until("users")).names, [...names, "Anna"]);
  seats.forEach((seat) => seat[Symbol.dispose]());
});

for (const leave of ["closeWrite", "logout"] as const) {
  Deno.test(`chat: who leaves by ${leave} still gets the answer to what it said last`, async () => {
    await using chat = startChat();
    using anna = await chat.enter("Anna");

    anna.send({ type: "say", ref: "1", text: "my last words" });
    if (leave === "logout") anna.send({ type: "logout" });
    else await anna.conn.closeWrite();

    const bye = leave === "logout" ? [{ type: "bye", reason: "logged_out" } as const] : [];
    assertEquals(await anna.rest(), [{ type: "said", ref: "1", id: 1 }, ...bye]);
  });
}

Deno.test("chat: who takes a name after all users were forgotten sees nothing of the old bearer's", async () => {
  await using chat = startChat();
  using old = await chat.enter("Anna");
  using bob = await chat.enter("Bob");
  await old.all();
  await bob.tell("Anna", "for the old Anna");
  await old.until("message");

  assertEquals(chat.members.clear(), 2);
  using anna = await chat.enter("Anna");
  using carl = await chat.enter("Carl");
  await carl.tell("Anna", "for the new Anna");

  await anna.all();
  assertEquals(textsIn(anna.received), ["for the new Anna"]);
  await old.until("error");
  const refused = await old.ask({ type: "say", ref: "r", text: "hello?" });
  assert(refused?.type === "error");
  assertEquals([refused.code, refused.ref], ["unauthorized", "r"]);
  await old.send({ type: "hello", version: 1 });
  await old.until("hello");
  const taken = await old.ask({ type: "register", name: "Anna", password: PASSWORD });
  assert(taken?.type === "error" && taken.code === "name_taken");
  await old.send({ type: "register", name: "Anna2", password: PASSWORD });
  assertEquals((await old.until("welcome")).name, "Anna2");
});

Deno.test("chat: who is forgotten or logged out elsewhere has left at once, and the others are told", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using bob = await chat.connect();
  const token = await bob.register("Bob");
  await bob.all();
  await anna.until("joined");
  using phone = await chat.connect();
  await phone.resume(token);
  await phone.all();

  phone.send({ type: "logout" });
  const { name } = await anna.until("left");
  const remaining = chat.names();
  chat.members.clear();

  assertEquals([name, remaining], ["Bob", ["Anna"]]);
  assertEquals(chat.names(), []);
  assertEquals((await bob.ask({ type: "ping" }))?.type, "error");
});

Deno.test("chat: what is said in the turn in which all users are forgotten is answered, and is never the next bearers'", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using _bob = await chat.enter("Bob");
  await anna.all();
  const say = chat.room.say.bind(chat.room);
  chat.room.say = (...args) => {
    say(...args);
    chat.members.clear();
  };

  await anna.send({ type: "tell", ref: "r", to: "Bob", text: "for the old Bob" });
  const answer = await anna.ask({ type: "ping" });
  using next = await chat.enter("Bob", { since: 0 });

  assertEquals(answer, { type: "said", ref: "r", id: 1 });
  assertEquals([chat.history.lastId, textsIn(next.received)], [1, []]);
  assertEquals((await anna.next())?.type, "error");
});
