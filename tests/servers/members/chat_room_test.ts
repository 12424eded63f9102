import { assertEquals } from "@std/assert";
import { HEADER_BYTES } from "../../../lib/frame/frame.ts";
import type {
  AppendedMessage,
  HistoryStore,
  NewMessage,
} from "../../../lib/store/history_store.ts";
import { keyOfName } from "../../../lib/chat/name.ts";
import { type ChatMember, ChatRoom } from "../../../servers/members/chat_room.ts";
import { turns } from "../../support/turns.ts";

/** A history that keeps its batches, and fails as long as it is told to. */
class FakeHistory {
  readonly batches: string[][] = [];
  broken = false;
  #lastId = 0;
  append(batch: readonly NewMessage[]): AppendedMessage[] {
    if (this.broken) throw new Error("Broken");
    this.batches.push(batch.map(({ text }) => text));
    return batch.map(() => ({ id: ++this.#lastId, repeated: false }));
  }
}

function openRoom() {
  const history = new FakeHistory();
  const errors: string[] = [];
  const room = new ChatRoom({
    history: history as unknown as HistoryStore,
    keyOf: keyOfName,
    onError: (error) => errors.push(String(error)),
  });
  return { history, errors, room };
}

/** A member that keeps what it hears, in short. */
function member(name: string): ChatMember & { heard: string[]; frames: Uint8Array[] } {
  const heard: string[] = [];
  const frames: Uint8Array[] = [];
  const deliver = (frame: Uint8Array) => {
    const { type, ref, id, text } = JSON.parse(
      new TextDecoder().decode(frame.subarray(HEADER_BYTES)),
    );
    frames.push(frame);
    heard.push([type, ref ?? text, id].filter((part) => part !== undefined).join(" "));
  };
  return { name, key: keyOfName(name), heard, frames, deliver };
}

function text(text: string, to?: string): NewMessage {
  return { from: "Anna", ref: `r${text}`, text, at: 1, ...(to !== undefined && { to }) };
}

Deno.test("ChatRoom.say() stores what arrives in one turn in one transaction at its end", async () => {
  const { room, history } = openRoom();
  const anna = member("Anna");
  const _seat = room.join(anna);

  room.say(anna, text("1"));
  room.say(anna, text("2"));
  await Promise.resolve();
  assertEquals([history.batches, anna.heard], [[], []]);
  await turns(1);
  room.say(anna, text("3"));
  await turns(1);

  assertEquals(history.batches, [["1", "2"], ["3"]]);
  assertEquals(anna.heard, ["said r1 1", "said r2 2", "said r3 3"]);
});

Deno.test("ChatRoom.commit() encodes a message once for all members", () => {
  const { room } = openRoom();
  const [anna, bob, carl] = [member("Anna"), member("Bob"), member("Carl")];
  const _seats = [anna, bob, carl].map((each) => room.join(each));

  room.say(anna, text("1"));
  room.commit();

  assertEquals(bob.frames.at(-1) === carl.frames.at(-1), true);
});

Deno.test("ChatRoom.commit() tells only the senders when nothing could be stored, and goes on", () => {
  const { room, history, errors } = openRoom();
  const [anna, bob] = [member("Anna"), member("Bob")];
  const _seats = [anna, bob].map((each) => room.join(each));
  anna.heard.length = 0;

  history.broken = true;
  room.say(anna, text("1"));
  room.commit();
  history.broken = false;
  room.say(anna, text("2"));
  room.commit();

  assertEquals(anna.heard, ["error r1", "said r2 1"]);
  assertEquals(bob.heard, ["message 2 1"]);
  assertEquals(errors, ["Error: Broken"]);
});

Deno.test("ChatRoom.join() lets in after what was said before, and out after what was said last", () => {
  const { room, history } = openRoom();
  const [anna, bob] = [member("Anna"), member("Bob")];
  const seat = room.join(anna);

  room.say(anna, text("before"));
  using _bob = room.join(bob);
  room.say(anna, text("last"));
  seat[Symbol.dispose]();

  assertEquals(anna.heard, ["said rbefore 1", "joined", "said rlast 2"]);
  assertEquals(bob.heard, ["message last 2", "left"]);
  assertEquals(history.batches, [["before"], ["last"]]);
});

Deno.test("ChatRoom.say() tells a private message to its two people, and to each once", () => {
  const { room } = openRoom();
  const [anna, phone, bob, eve] = [member("Anna"), member("ANNA"), member("Bob"), member("Eve")];
  const _seats = [anna, phone, bob, eve].map((each) => room.join(each));
  for (const { heard } of [anna, phone, bob, eve]) heard.length = 0;

  room.say(anna, text("to Bob", "BOB"));
  room.say(anna, text("to myself", "anna"));
  room.commit();

  assertEquals(anna.heard, ["said rto Bob 1", "said rto myself 2"]);
  assertEquals(phone.heard, ["message to Bob 1", "message to myself 2"]);
  assertEquals([bob.heard, eve.heard], [["message to Bob 1"], []]);
});

Deno.test("ChatRoom.notice() reaches everybody and is not kept", () => {
  const { room, history } = openRoom();
  const [anna, bob] = [member("Anna"), member("Bob")];
  const _seats = [anna, bob].map((each) => room.join(each));

  assertEquals(room.notice("back at noon"), 2);

  assertEquals([anna.heard.at(-1), bob.heard.at(-1)], [
    "notice back at noon",
    "notice back at noon",
  ]);
  assertEquals(history.batches, []);
});
