import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import type { ServerMessage } from "../../../lib/chat/protocol.ts";
import { type ChatClient, idsIn, PASSWORD, textsIn } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";
import { testInFolder } from "../../support/permissions.ts";
import { turns } from "../../support/turns.ts";

function codeOf(message: ServerMessage | null): [string, string | undefined] {
  assert(message?.type === "error", JSON.stringify(message));
  return [message.code, message.ref];
}

async function codesOf(client: ChatClient, messages: object[]) {
  const codes = [];
  for (const message of messages) codes.push(codeOf(await client.ask(message)));
  return codes;
}

Deno.test("ChatMember pages back through the history", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  for (let i = 1; i <= 120; i++) await anna.say(`${i}`);
  const page = async (query: object) => {
    await anna.send({ type: "history", ...query });
    return idsIn(await anna.all());
  };

  const last = await page({});
  assertEquals([last.length, last[0], last.at(-1)], [50, 71, 120]);
  assertEquals(await page({ before: 71, limit: 3 }), [68, 69, 70]);
  assertEquals(await page({ before: 3 }), [1, 2]);
  assertEquals(await page({ before: 1 }), []);
  assertEquals(await page({ before: 0 }), []);
  assertEquals(await page({ limit: 0 }), []);
  assertEquals((await page({ limit: 1e15 })).length, 120);
});

Deno.test("ChatMember shows at most 200 messages at once", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  chat.append("Anna", Array.from({ length: 201 }, (_, i) => `${i + 1}`));

  await anna.send({ type: "history", limit: 1e15 });

  assertEquals(idsIn(await anna.all()), Array.from({ length: 200 }, (_, i) => i + 2));
});

Deno.test("ChatMember shows no more history when its session has ended", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  chat.append("Anna", Array.from({ length: 200 }, (_, i) => `${i + 1}`));
  const since = chat.history.since.bind(chat.history);
  chat.history.since = (...args) => {
    const page = since(...args);
    chat.members.clear();
    return page;
  };

  await anna.send({ type: "history", limit: 200 });
  await anna.until("error");
  await anna.send({ type: "ping" });
  await anna.until("error");

  assertEquals(idsIn(anna.received).length, 50);
});

Deno.test("ChatMember delivers private messages to all spellings of a name, and to oneself", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using strasse = await chat.enter("Straße");
  using phone = await chat.connect();
  await phone.logIn("anna");
  await phone.all();

  await anna.tell("STRASSE", "one");
  await anna.tell("ＡＮＮＡ", "note to myself");

  const [received] = (await strasse.all()).slice(-1);
  assert(received?.type === "message");
  assertEquals([received.to, received.text], ["Straße", "one"]);
  assertEquals(textsIn(await phone.all()), ["one", "note to myself"]);
  assertEquals(textsIn(await anna.all()), []);
});

Deno.test("ChatMember reaches a user who is away when they come back", async () => {
  await using chat = startChat();
  using bob = await chat.connect();
  const token = await bob.register("Bob");
  bob.send({ type: "logout" });
  await bob.rest();
  using anna = await chat.enter("Anna");
  await anna.tell("Bob", "while you were away");

  using again = await chat.connect();
  assertEquals(
    codeOf(await again.ask({ type: "hello", version: 1, token }).then(() => again.next()))[0],
    "unauthorized",
  );
  await again.logIn("Bob", { since: 0 });
  await again.all();

  assertEquals(textsIn(again.received), ["while you were away"]);
});

Deno.test("ChatMember refuses what it cannot deliver, with the ref, and stores none of it", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  const long = "ä".repeat(2049);

  const codes = await codesOf(anna, [
    { type: "tell", ref: "1", to: "Nobody", text: "x" },
    { type: "tell", ref: "2", to: "no name!", text: "x" },
    { type: "tell", ref: "3", to: "", text: "x" },
    { type: "tell", ref: "4", to: "__proto__", text: "x" },
    { type: "say", ref: "5", text: "" },
    { type: "say", ref: "6", text: " \n\t\u3000" },
    { type: "say", ref: "7", text: long },
    { type: "say", ref: "8", text: "x".repeat(4097) },
    { type: "say", ref: "m", text: `a${"\u0301".repeat(5)}` },
    { type: "say", ref: "9" },
    { type: "say", ref: "", text: "x" },
    { type: "say", ref: "r".repeat(65), text: "x" },
  ]);

  assertEquals(codes, [
    ...["1", "2", "3", "4"].map((ref): [string, string] => ["no_such_user", ref]),
    ["bad_message", "5"],
    ["bad_message", "6"],
    ["too_long", "7"],
    ["too_long", "8"],
    ["bad_message", "m"],
    ["bad_message", "9"],
    ["bad_message", undefined],
    ["bad_message", undefined],
  ]);
  assertEquals(chat.history.lastId, 0);
});

Deno.test("ChatMember takes texts up to 4 KiB of UTF-8, and gives them back as they were", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  using bob = await chat.enter("Bob");
  const texts = [
    "ä".repeat(2048),
    "x".repeat(4096),
    "😀".repeat(1024),
    "\x01".repeat(2690),
    "\ufeff\0\x1b[31m",
  ];

  for (const text of texts) await anna.say(text);

  assertEquals(textsIn(await bob.all()), texts);
  await bob.send({ type: "history" });
  assertEquals(textsIn(await bob.all()), texts);
});

Deno.test("ChatMember refuses a flood by telling when to go on, and reads nothing meanwhile", async () => {
  let now = 0;
  using _clock = stub(performance, "now", () => now);
  await using chat = startChat({ burst: 3, rate: 2 });
  using bob = await chat.enter("Bob");
  using anna = await chat.enter("Anna");

  for (let i = 1; i <= 6; i++) anna.send({ type: "say", ref: `${i}`, text: `${i}` });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await anna.next());
  await turns(20);
  const received = () => chat.events.filter((e) => e.type === "received" && e.conn.id === 2).length;
  const readSoFar = received();
  now += 500;
  const next = [await anna.next(), await anna.next()];

  // Refusals come at once, said when it is so.
  const [refusal, ...said] = answers;
  assertEquals(said.map((m) => m?.type === "said" && m.id), [1, 2, 3]);
  assert(refusal?.type === "error");
  assertEquals([refusal.code, refusal.ref, refusal.retryAfterMs], ["too_fast", "4", 500]);
  // Hello, register, ping, and four texts: the fifth waits until the bucket allows.
  assertEquals(readSoFar, 7);
  assertEquals(next.map((m) => m?.type), ["error", "said"]);
  assertEquals(textsIn(await bob.all()), ["1", "2", "3", "5"]);
});

Deno.test("ChatMember counts the messages of a user, whatever connection they come from", async () => {
  using _clock = stub(performance, "now", () => 0);
  await using chat = startChat({ burst: 4, rate: 1 });
  using anna = await chat.enter("Anna");
  using phone = await chat.connect();
  await phone.logIn("Anna");
  await phone.all();

  await anna.say("1");
  for (const type of ["who", "history", "who"]) phone.send({ type });
  await phone.until("users");
  await phone.until("users");

  assertEquals(codeOf(await phone.ask({ type: "say", ref: "1", text: "2" })), ["too_fast", "1"]);
});

testInFolder(
  "ChatMember tells the sender when storage is full, and goes on when it is not",
  async (folder) => {
    {
      await using chat = startChat({ path: `${folder}/chat.db` });
      using anna = await chat.enter("Anna");
      using bob = await chat.enter("Bob");
      await anna.all();
      const text = "x".repeat(4000);
      chat.database.prepare("PRAGMA max_page_count = 1").get();
      for (let i = 1; i <= 20; i++) anna.send({ type: "say", ref: `${i}`, text });
      const answers = [];
      for (let i = 1; i <= 20; i++) answers.push(codeOf(await anna.next()));
      chat.database.prepare("PRAGMA max_page_count = 100000").get();

      assertEquals(answers, Array.from({ length: 20 }, (_, i) => ["unavailable", `${i + 1}`]));
      assertStringIncludes(String(chat.errors[0]), "disk is full");
      assertEquals(textsIn(await bob.all()), []);
      assertEquals([await anna.say("again", "1"), await anna.say("more", "2")], [1, 2]);
      assertEquals(textsIn(await bob.all()), ["again", "more"]);
    }
  },
);

testInFolder(
  "ChatMember tells the sender when the file is gone, and takes nothing then",
  async (folder) => {
    const path = `${folder}/chat.db`;
    {
      await using chat = startChat({ path });
      using anna = await chat.enter("Anna");
      Deno.renameSync(path, `${path}.away`);
      const refused = codeOf(await anna.ask({ type: "say", ref: "1", text: "hello" }));
      Deno.renameSync(`${path}.away`, path);

      assertEquals(refused, ["unavailable", "1"]);
      assertEquals(await anna.say("hello", "1"), 1);
    }
  },
);

Deno.test("ChatMember outlives a database that fails at everything", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  chat.database.close();

  const codes = await codesOf(anna, [
    { type: "say", ref: "1", text: "x" },
    { type: "tell", ref: "2", to: "Anna", text: "x" },
    { type: "history" },
    { type: "logout" },
  ]);

  assertEquals(codes, [
    ["unavailable", "1"],
    ["unavailable", "2"],
    ["unavailable", undefined],
    ["unavailable", undefined],
  ]);
  assertEquals(await anna.ask({ type: "whoami" }), { type: "you", name: "Anna" });
  assertEquals(chat.errors.length, 4);
  using bob = await chat.connect();
  await bob.ask({ type: "hello", version: 1 });
  const attempts = [
    { type: "login", name: "Anna", password: PASSWORD },
    { type: "register", name: "Bob", password: PASSWORD },
  ];
  assertEquals((await codesOf(bob, attempts)).flat(), [
    "unavailable",
    undefined,
    "unavailable",
    undefined,
  ]);
  await bob.ask({ type: "hello", version: 1, token: "A".repeat(43) });
  assertEquals(codeOf(await bob.next()), ["unavailable", undefined]);
});
