import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { HEADER_BYTES } from "../../../lib/frame/frame.ts";
import type {
  AppendedMessage,
  HistoryStore,
  NewMessage,
} from "../../../lib/store/history_store.ts";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { ChatRoom, type Seated } from "../../../servers/members/chat_room.ts";
import { turns } from "../../support/turns.ts";

/** A history that keeps its batches, and fails as long as it is told to. */
class FakeHistory {
  readonly batches: string[][] = [];
  broken: unknown;
  #lastId = 0;
  append(batch: readonly NewMessage[]): AppendedMessage[] {
    if (this.broken) throw new StorageError(this.broken);
    this.batches.push(batch.map(({ text }) => text));
    return batch.map(() => ({ id: ++this.#lastId, repeated: false }));
  }
}

function openRoom(settleMs = 0) {
  const history = new FakeHistory();
  const room = new ChatRoom(history as unknown as HistoryStore, { settleMs });
  return { history, room };
}

const KEYS = ["anna", "bob", "carl", "eve"];

/** A member that keeps what it hears, in short. */
function member(name: string): Seated & { heard: string[]; frames: Uint8Array[] } {
  const heard: string[] = [];
  const frames: Uint8Array[] = [];
  const deliver = (frame: Uint8Array) => {
    const { type, text, name, id } = JSON.parse(
      new TextDecoder().decode(frame.subarray(HEADER_BYTES)),
    );
    frames.push(frame);
    heard.push([type, text ?? name, id].filter((part) => part !== undefined).join(" "));
  };
  const said = (ref: string, id?: number) => void heard.push(`said ${ref} ${id}`);
  return { name, key: KEYS.indexOf(name.toLowerCase()), heard, frames, deliver, said };
}

function text(text: string): NewMessage {
  return { sender: { id: 0, name: "Anna" }, ref: `r${text}`, text, at: 1 };
}

Deno.test("ChatRoom.say() stores what arrives in one turn in one transaction at its end", async () => {
  const { room, history } = openRoom();
  const anna = member("Anna");
  const _seat = room.join(anna);

  room.say(anna, text("1"));
  room.say(anna, text("2"));
  await Promise.resolve();
  assertEquals([history.batches, anna.heard], [[], []]);
  await room.settled;
  room.say(anna, text("3"));
  await room.settled;

  assertEquals(history.batches, [["1", "2"], ["3"]]);
  assertEquals(anna.heard, ["said r1 1", "said r2 2", "said r3 3"]);
});

Deno.test("ChatRoom.say() encodes a message once for all members", async () => {
  const { room } = openRoom();
  const [anna, bob, carl] = [member("Anna"), member("Bob"), member("Carl")];
  const _seats = [anna, bob, carl].map((each) => room.join(each));

  room.say(anna, text("1"));
  await room.settled;

  assertEquals(bob.frames.at(-1) === carl.frames.at(-1), true);
});

Deno.test("ChatRoom.say() lets messages wait while another program locks the file, for 10 s", async () => {
  using time = new FakeTime();
  const { room, history } = openRoom();
  const anna = member("Anna");
  const _seat = room.join(anna);

  history.broken = new Deno.errors.Busy("Locked");
  for (const each of ["1", "2"]) {
    room.say(anna, text(each));
    await turns(2);
  }
  await time.tickAsync(5_000);
  const before = [...anna.heard];
  history.broken = undefined;
  await time.tickAsync(1_000);
  history.broken = new Deno.errors.Busy("Locked");
  room.say(anna, text("3"));
  await turns(2);
  await time.tickAsync(9_000);
  assertEquals(anna.heard.length, 2);
  await time.tickAsync(2_000);

  assertEquals(before, []);
  assertEquals(history.batches, [["1", "2"]]);
  assertEquals(anna.heard, ["said r1 1", "said r2 2", "said r3 undefined"]);
});

Deno.test("ChatRoom.close() commits what waits", async () => {
  const { room, history } = openRoom();
  const anna = member("Anna");

  room.say(anna, text("1"));
  room.close();
  await turns(2);

  assertEquals([history.batches, anna.heard], [[["1"]], ["said r1 1"]]);
});

Deno.test("ChatRoom.notice() reaches everybody and is not kept", () => {
  const { room, history } = openRoom();
  const [anna, bob] = [member("Anna"), member("Bob")];
  const _seats = [anna, bob].map((each) => room.join(each));

  assertEquals(room.notice("back at noon"), 2);

  assertEquals([anna, bob].map(({ heard }) => heard.at(-1)), Array(2).fill("notice back at noon"));
  assertEquals(history.batches, []);
});

Deno.test("ChatRoom announces a user who stays or is away for a second, and nobody who comes and goes", async () => {
  using time = new FakeTime();
  const { room } = openRoom(1000);
  const [anna, bob] = [member("Anna"), member("Bob")];
  const _seat = room.join(anna);
  await time.tickAsync(1000);

  for (let i = 0; i < 20; i++) {
    const seat = room.join(bob);
    await time.tickAsync(900);
    seat[Symbol.dispose]();
    await time.tickAsync(900);
  }
  await time.tickAsync(1000);
  assertEquals(anna.heard, []);
  const seat = room.join(bob);
  await time.tickAsync(1000);
  seat[Symbol.dispose]();
  await time.tickAsync(900);
  const again = room.join(bob);
  await time.tickAsync(2000);
  assertEquals(anna.heard, ["joined Bob"]);
  again[Symbol.dispose]();
  await time.tickAsync(1000);

  assertEquals(anna.heard, ["joined Bob", "left Bob"]);
  assertEquals(bob.heard, []);
});

Deno.test("ChatRoom announces a user before it acts, and names those who are announced", () => {
  using _time = new FakeTime();
  const { room } = openRoom(1000);
  const [anna, bob] = [member("Anna"), member("Bob")];
  const _seats = [anna, bob].map((each) => room.join(each));
  assertEquals(room.users(), { type: "users", names: [] });

  room.act(bob);
  room.act(bob);

  assertEquals([anna.heard, bob.heard], [["joined Bob"], []]);
  assertEquals(room.users(), { type: "users", names: ["Bob"] });
  room.close();
});

Deno.test("ChatRoom names 1,000 users at most, and tells how many more there are", () => {
  const { room } = openRoom();
  for (let key = 0; key < 1002; key++) {
    room.join({ name: `user${key}`, key, deliver() {}, said() {} });
  }

  const users = room.users();

  assertEquals(users.type === "users" && [users.names.length, users.more], [1000, 2]);
});

Deno.test("ChatRoom says nothing of those who are disconnected for a pause, and announces who comes back", () => {
  const { room } = openRoom();
  const [anna, bob] = [member("Anna"), member("Bob")];
  const [, seat] = [room.join(anna), room.join(bob)];
  anna.heard.length = 0;

  room.isSentAway = true;
  seat[Symbol.dispose]();
  room.isSentAway = false;
  room.join(bob);

  assertEquals(anna.heard, ["joined Bob"]);
});
