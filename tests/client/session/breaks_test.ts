import { assert, assertEquals } from "@std/assert";
import type { ChatConn } from "../../../client/session/connection.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { seededRandom } from "../../../lib/base/seeded_random.ts";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { startAuthentication, startChat } from "../../support/chat_server.ts";
import { TestMember } from "./test_member.ts";

/** Breaks at its n-th message: before it leaves, right after it has left, or before it is seen. */
class BreakingConn implements ChatConn {
  readonly #conn: FramedConn;
  readonly #random: () => number;
  #left: number;

  constructor(conn: FramedConn, left: number, random: () => number) {
    this.#conn = conn;
    this.#left = left;
    this.#random = random;
  }

  async send(text: string): Promise<void> {
    if (--this.#left !== 0) return await this.#conn.send(text);
    if (this.#random() < 0.5) {
      await this.#conn.send(text);
      await this.#conn.flush();
    }
    this.#conn.abort();
  }

  async receive(): Promise<string | null> {
    const text = await this.#conn.receive();
    if (text === null || --this.#left !== 0) return text;
    this.#conn.abort();
    return null;
  }

  close(): void {
    this.#conn.close();
  }
}

/** Connects to a port; the first connections break at odd points. */
function breakingConnect(port: number, random: () => number, breaks: { left: number }) {
  return async () => {
    const conn = await FramedConn.connect({ port });
    if (breaks.left <= 0) return conn;
    breaks.left--;
    return new BreakingConn(conn, 1 + Math.floor(random() * 14), random);
  };
}

function textsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

for (const seed of [1, 2, 3]) {
  Deno.test(`ChatSession loses and doubles nothing across 20 breaks (seed ${seed})`, async () => {
    await using chat = startChat();
    for (const name of ["anna", "boris", "carla"]) {
      await chat.members.accounts.register(name, PASSWORD);
    }
    const breaks = { left: 20 };
    const random = seededRandom(seed);
    const connect = breakingConnect(chat.server.addr.port, random, breaks);
    await using carla = new TestMember(chat.server.addr.port, "carla");
    await carla.session.entered;
    await using anna = new TestMember(chat.server.addr.port, "anna", { connect });
    await using boris = new TestMember(chat.server.addr.port, "boris", { connect });

    for (const text of textsOf("anna", 60)) anna.session.say(text);
    for (const text of textsOf("boris", 60)) boris.session.say(text);
    await Promise.all([anna, boris, carla].map((member) => member.toldCount(120)));
    await Promise.all([anna, boris].map(({ session }) => session.settled(5000)));

    const stored = chat.history.since(0, 1, 200).map(({ id, text }) => `${id} ${text}`);
    assertEquals(stored.length, 120);
    for (const name of ["anna", "boris"]) {
      const own = stored.map((line) => line.replace(/^\d+ /, "")).filter((text) =>
        text.startsWith(name)
      );
      assertEquals(own, textsOf(name, 60));
    }
    for (const member of [anna, boris, carla]) assertEquals(member.told, stored);
    assertEquals(breaks.left, 0);
  });
}

Deno.test("ChatSession keeps the order of what flood control delays", async () => {
  await using chat = startChat({ burst: 3, rate: 200 });
  await chat.members.accounts.register("anna", PASSWORD);
  await using anna = new TestMember(chat.server.addr.port, "anna");

  for (const text of textsOf("anna", 12)) anna.session.say(text);
  await anna.toldCount(12);

  assertEquals(anna.told, textsOf("anna", 12).map((text, i) => `${i + 1} ${text}`));
  assert(anna.notes.includes("too_fast"));
});

Deno.test("ChatSession waits through a pause and sends what was typed meanwhile", async () => {
  const goodbye = () => JSON.stringify({ type: "bye", reason: "paused", retryAfterMs: 5 });
  await using chat = startChat({ goodbye });
  for (const name of ["anna", "boris"]) await chat.members.accounts.register(name, PASSWORD);
  const waiting = Promise.withResolvers<string | undefined>();
  await using anna = new TestMember(chat.server.addr.port, "anna", {
    onWait: ({ bye }) => waiting.resolve(bye),
  });
  await anna.session.entered;

  await chat.server.pause();
  assertEquals(await waiting.promise, "paused");
  anna.session.say("typed meanwhile");
  anna.session.say("and this");
  await chat.server.resume();
  await using boris = new TestMember(chat.server.addr.port, "boris");
  await Promise.all([anna.toldCount(2), boris.toldCount(2)]);

  assertEquals(anna.told, ["1 typed meanwhile", "2 and this"]);
  assertEquals(boris.told, anna.told);
});

Deno.test("ChatSession registers again when the users were cleared, and says what was refused", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);
  const refusals: (string | undefined)[] = [];
  await using anna = new TestMember(chat.server.addr.port, "anna", {
    credentials: (refusal) => {
      refusals.push(refusal?.code);
      const register = refusal?.code === "unauthorized";
      return Promise.resolve({ name: "anna", password: PASSWORD, register });
    },
  });
  await anna.session.entered;

  chat.members.clear();
  anna.session.say("still here");
  await anna.toldCount(1);

  assertEquals(anna.told, ["1 still here"]);
  assertEquals(refusals, [undefined, "unauthorized"]);
});

Deno.test("ChatSession shows earlier messages page by page, and none twice", async () => {
  await using chat = startChat();
  for (const name of ["anna", "boris"]) await chat.members.accounts.register(name, PASSWORD);
  await using anna = new TestMember(chat.server.addr.port, "anna");
  for (const text of textsOf("anna", 10)) anna.session.say(text);
  await anna.session.settled(5000);
  await using boris = new TestMember(chat.server.addr.port, "boris", { history: 2 });
  await boris.toldCount(2);

  const pages: number[] = [];
  for (const limit of [3, 100, 5]) {
    const before = boris.session.seen.oldest!;
    await new Promise<void>((resolve) =>
      boris.session.request({ type: "history", before, limit }, (count) => {
        pages.push(count);
        resolve();
      })
    );
  }

  assertEquals(pages, [3, 5, 0]);
  assertEquals(
    boris.told.map((line) => Number(line.split(" ")[0])),
    [9, 10, 6, 7, 8, 1, 2, 3, 4, 5],
  );
});

Deno.test("ChatSession.forgetShown() lets the history begin with the newest message again", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);
  await using anna = new TestMember(chat.server.addr.port, "anna");
  for (const text of textsOf("anna", 3)) anna.session.say(text);
  await anna.session.settled(5000);
  anna.told.length = 0;

  anna.session.seen.forgetShown();
  for (const limit of [2, 20]) {
    const { oldest: before } = anna.session.seen;
    const page = { type: "history", limit, ...(before !== undefined && { before }) } as const;
    await new Promise((resolve) => anna.session.request(page, resolve));
  }

  assertEquals(anna.told, ["2 anna 1", "3 anna 2", "1 anna 0"]);
});

Deno.test("ChatSession.request() logs out, and the token is of no use any more", async () => {
  await using chat = startAuthentication();
  await chat.members.accounts.register("anna", PASSWORD);
  await using anna = new TestMember(chat.server.addr.port, "anna");
  await anna.session.entered;

  anna.session.request({ type: "whoami" });
  anna.session.request({ type: "who" });
  await anna.noted("bad_message");
  anna.session.request({ type: "logout" });

  assertEquals(await anna.ended, "logged_out");
  assertEquals(anna.notes, ["hello", "welcome", "you", "bad_message", "bye"]);
});
