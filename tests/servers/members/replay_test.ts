import { assert, assertEquals, assertLess } from "@std/assert";
import type { MessageConn } from "../../../lib/conn/message_conn.ts";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { Replay } from "../../../servers/members/replay.ts";
import { idsIn, textsIn } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";

/** A chat in which Anna has said so many things. */
async function startWithHistory(count: number) {
  const chat = startChat();
  const anna = await chat.connect();
  const token = await anna.register("Anna");
  // Only then it is in the room, and has seen that there is nothing to see.
  await anna.all();
  append(chat, count);
  return { chat, anna, token, [Symbol.dispose]: () => anna[Symbol.dispose]() };
}

function append(chat: ReturnType<typeof startChat>, count: number, to?: string): void {
  const first = chat.history.lastId + 1;
  chat.append("Anna", Array.from({ length: count }, (_, i) => `${first + i}`), to);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

Deno.test("ChatMember shows a newcomer the last 50 messages, marked as repeated", async () => {
  using start = await startWithHistory(60);
  await using chat = start.chat;
  using bob = await chat.enter("Bob");

  assertEquals(idsIn(bob.received), range(11, 60));
  assert(bob.received.every((m) => m.type !== "message" || m.replay === true));
  await start.anna.say("live");
  const live = (await bob.all()).at(-1);
  assert(live?.type === "message" && live.replay === undefined);
});

for (const [history, shown] of [[0, 0], [1, 1], [7, 7], [200, 200], [1e9, 200]] as const) {
  Deno.test(`ChatMember shows ${shown} messages to a newcomer who asks for ${history}`, async () => {
    using start = await startWithHistory(250);
    await using chat = start.chat;
    using bob = await chat.enter("Bob", { history });

    await start.anna.say("live");

    await bob.all();
    assertEquals(idsIn(bob.received), range(251 - shown, 251));
  });
}

for (const missed of [0, 1, 49, 50, 51, 200, 201]) {
  Deno.test(`ChatMember sends ${missed} missed messages once and in order, then the live ones`, async () => {
    using start = await startWithHistory(missed + 3);
    await using chat = start.chat;
    using bob = await chat.enter("Bob", { since: 3 });

    await start.anna.say("live");

    await bob.all();
    assertEquals(idsIn(bob.received), range(4, missed + 4));
  });
}

Deno.test("ChatMember skips the private messages of others, also where a page ends", async () => {
  using start = await startWithHistory(200);
  await using chat = start.chat;
  using eve = await chat.enter("Eve", { since: 0 });
  using bob = await chat.enter("Bob");
  append(chat, 250, "Bob");
  append(chat, 1);

  for (
    const [name, expected] of [["eve", [...range(1, 200), 451]], ["bob", range(1, 451)]] as const
  ) {
    using again = await chat.connect();
    await again.logIn(name, { since: 0 });
    await again.all();
    assertEquals(idsIn(again.received), expected);
  }
  assertEquals(idsIn(eve.received), range(1, 200));
  assertEquals(bob.conn.closed, false);
});

Deno.test("ChatMember leaves no gap and no double while others speak at full speed", async () => {
  using start = await startWithHistory(3000);
  await using chat = start.chat;
  const { anna } = start;
  let speaking = true;
  const speech = (async () => {
    for (let i = 1; speaking; i++) await anna.say("live", `live ${i}`);
  })();

  for (let round = 0; round < 5; round++) {
    using late = await chat.enter(`late${round}`, { since: 0 });
    const end = chat.history.lastId + 20;
    while (idsIn(late.received.slice(-1))[0] !== end) await late.next();
    assertEquals(idsIn(late.received), range(1, end));
    assert(late.received.some((m) => m.type === "message" && m.id > 3000 && m.replay));
    assert(late.received.some((m) => m.type === "message" && !m.replay));
  }

  speaking = false;
  await speech;
});

Deno.test("Replay reads the next page only when the one before is on its way", async () => {
  using start = await startWithHistory(51);
  await using chat = start.chat;
  const { history, room: { share } } = chat;
  const since = history.since.bind(history);
  const reads: number[] = [];
  history.since = (id, ...rest) => {
    reads.push(id);
    return since(id, ...rest);
  };
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  const conn = { sendFrame: () => sent } as unknown as MessageConn;

  const replayed = new Replay(history, share, { after: 0, accountId: () => 1 }).sendTo(conn);
  await share.run(() => {});
  await share.run(() => {});
  const before = [...reads];
  resolve();
  await replayed;

  assertEquals([before, reads], [[0], [0, 50, 51]]);
});

Deno.test("ChatMember tells a client that comes back to an older history by its last id", async () => {
  using start = await startWithHistory(3);
  await using chat = start.chat;
  using again = await chat.connect();

  const { last } = await again.resume(start.token, { since: 1000 });

  assertEquals([last, textsIn(await again.all())], [3, []]);
});

Deno.test("ChatMember tells a client when the history cannot be read, and goes on when it can", async () => {
  using start = await startWithHistory(3);
  await using chat = start.chat;
  using again = await chat.connect();
  const since = chat.history.since.bind(chat.history);
  chat.history.since = () => {
    throw new StorageError("Broken");
  };

  await again.resume(start.token, { since: 1 });
  const { code, retryAfterMs } = await again.until("error");
  chat.history.since = since;

  await again.all();
  assertEquals([code, retryAfterMs, idsIn(again.received)], ["unavailable", 1000, [2, 3]]);
  assertEquals(chat.errors.map(String), ["StorageError: Broken"]);
});

Deno.test("ChatMember shows no more to a client that is forgotten meanwhile, and gives it no seat", async () => {
  using start = await startWithHistory(200);
  await using chat = start.chat;
  const since = chat.history.since.bind(chat.history);
  chat.history.since = (...args) => {
    chat.history.since = since;
    const page = since(...args);
    chat.members.clear();
    return page;
  };
  using bob = await chat.connect();

  await bob.register("Bob", { since: 0 });
  await bob.until("error");
  await bob.send({ type: "ping" });
  const { code } = await bob.until("error");

  assertEquals([code, idsIn(bob.received), chat.room.notice("x")], [
    "unauthorized",
    range(1, 50),
    0,
  ]);
  assertEquals(chat.names(), []);
});

for (
  const [reason, end] of [
    ["shutdown", (chat) => chat.server.shutdown()],
    ["paused", (chat) => chat.server.pause()],
    ["kicked", (chat) => chat.server.end("kicked")],
  ] as [string, (chat: ReturnType<typeof startChat>) => unknown][]
) {
  Deno.test(`ChatMember shows no more to a client that is told bye ${reason} meanwhile`, async () => {
    using start = await startWithHistory(200);
    await using chat = start.chat;
    using bob = await chat.connect();
    const since = chat.history.since.bind(chat.history);
    let ended: unknown;
    chat.history.since = (...args) => {
      ended ??= end(chat);
      return since(...args);
    };

    await bob.register("Bob", { since: 0 });
    const rest = await bob.rest();
    [bob, start.anna].forEach(({ conn }) => conn.close());
    await ended;

    // The conversation ends when no more are accepted: a page later on a busy machine.
    const ids = idsIn(bob.received);
    assertEquals(ids, range(1, ids.length));
    assertLess(ids.length, 200);
    const bye = rest.at(-1);
    assertEquals<unknown>(bye?.type === "bye" && bye.reason, reason);
  });
}

for (const hello of [{ history: 0 }, { history: 1 }, {}, { since: 3 }, { since: 1000 }]) {
  Deno.test(`ChatMember gets each message after the last of its welcome, with hello ${JSON.stringify(hello)}`, async () => {
    using start = await startWithHistory(3);
    await using chat = start.chat;
    const { share } = chat.room;
    const run = share.run.bind(share);
    // Whatever is read, others speak before it is this client's turn.
    share.run = (task) => {
      append(chat, 3);
      return run(task);
    };
    using late = await chat.connect();

    await late.register("Late", hello);
    share.run = run;
    await late.all();

    const welcome = late.received.find((message) => message.type === "welcome");
    assertEquals(welcome?.last, 3);
    const ids = idsIn(late.received).filter((id) => id > 3);
    assertEquals(ids, range(4, chat.history.lastId));
  });
}
