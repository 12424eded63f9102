import { assertEquals, assertThrows } from "@std/assert";
import { type Member, Room } from "../../../lib/chat/room.ts";

function member(name: string, heard: string[] = []): Member<string> & { heard: string[] } {
  return { name, key: name.toLowerCase(), heard, deliver: (text) => heard.push(text) };
}

Deno.test("Room.broadcast() reaches every member in the order of the calls, except the one or all of a user", () => {
  const room = new Room<string>();
  const [anna, phone, bob] = [member("Anna"), member("ANNA"), member("Bob")];
  const _seats = [anna, phone, bob].map((each) => room.join(each));

  room.broadcast("1");
  room.broadcast("2", { except: anna });
  room.broadcast("3", { exceptKey: "anna" });

  assertEquals([anna.heard, phone.heard, bob.heard], [["1"], ["1", "2"], ["1", "2", "3"]]);
  assertEquals([room.size, room.names()], [3, ["Anna", "Bob"]]);
});

Deno.test("Room.tell() reaches all connections of one user, and tells whether there are any", () => {
  const room = new Room<string>();
  const [anna, phone, bob] = [member("Anna"), member("ANNA"), member("Bob")];
  const _seats = [anna, phone, bob].map((each) => room.join(each));

  assertEquals(room.tell("anna", "psst", { except: anna }), true);
  assertEquals(room.tell("carl", "psst"), false);

  assertEquals([anna, phone, bob].map(({ heard }) => heard), [[], ["psst"], []]);
});

Deno.test("Room.join() announces a user before the first member, and after the last has left", () => {
  const told: string[] = [];
  const room: Room<string> = new Room({
    onUserJoined: ({ name }) => told.push(`+${name} ${room.size}`),
    onUserLeft: ({ name }) => told.push(`-${name} ${room.size}`),
  });

  const seats = [member("Anna"), member("ANNA"), member("Bob")].map((each) => room.join(each));
  seats[0]![Symbol.dispose]();
  seats[0]![Symbol.dispose]();
  assertEquals(room.names(), ["ANNA", "Bob"]);
  for (const seat of [...seats, ...seats]) seat[Symbol.dispose]();

  assertEquals(told, ["+Anna 0", "+Bob 2", "-ANNA 1", "-Bob 0"]);
  assertEquals([room.size, room.names()], [0, []]);
});

Deno.test("Room.broadcast() and tell() deliver to those who were there at the call", () => {
  const room = new Room<string>();
  const carla = member("Carla");
  const anna = { ...member("Anna"), deliver: () => void room.join(carla) };
  const phone = { ...member("Carla"), deliver: () => void room.join(carla) };

  room.join(anna);
  room.broadcast("1");
  assertEquals([room.size, carla.heard], [2, []]);
  const other = new Room<string>();
  other.join({ ...phone, deliver: () => void other.join(carla) });
  other.tell("carla", "2");

  assertEquals(carla.heard, []);
});

Deno.test("Room.broadcast() reaches the others although members throw, and throws the first error", () => {
  const room = new Room<string>();
  const bob = member("Bob");
  const bad = (name: string) => ({
    ...member(name),
    deliver(text: string) {
      throw new Error(`${name} ${text}`);
    },
  });
  const _seats = [bad("Bad"), bad("Worse"), bob].map((each) => room.join(each));

  assertThrows(() => room.broadcast("1"), Error, "Bad 1");
  assertThrows(() => room.tell("bad", "2"), Error, "Bad 2");

  assertEquals(bob.heard, ["1"]);
});

Deno.test("Room.join() twice gives a member each message once, until its last seat is given up", () => {
  const left: string[] = [];
  const room = new Room<string>({ onUserLeft: ({ name }) => left.push(name) });
  const anna = member("Anna");
  const [first, second] = [room.join(anna), room.join(anna)];

  room.broadcast("1");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  room.broadcast("2");
  assertEquals([room.size, left], [1, []]);
  second[Symbol.dispose]();

  assertEquals([room.size, anna.heard, left], [0, ["1", "2"], ["Anna"]]);
  room.join(anna);
  for (const seat of [first, second]) seat[Symbol.dispose]();
  assertEquals(room.names(), ["Anna"], "a seat that was left leaves her alone who has come back");
});

Deno.test("Room.broadcast() survives members that leave while it delivers", () => {
  const room = new Room<string>();
  const seats: Disposable[] = [];
  const leaver = { ...member("Anna"), deliver: () => seats[0]![Symbol.dispose]() };
  const bob = member("Bob");
  seats.push(room.join(leaver), room.join(bob));

  room.broadcast("1");
  room.broadcast("2");

  assertEquals([bob.heard, room.names()], [["1", "2"], ["Bob"]]);
});

Deno.test("Room.join() keeps a member of the same user that was let in meanwhile", () => {
  const [anna, phone] = [member("Anna"), member("ANNA")];
  const room: Room<string> = new Room({
    onUserJoined: (joining) => joining === anna && void room.join(phone),
  });

  const _seat = room.join(anna);

  assertEquals([room.size, room.names()], [2, ["ANNA"]]);
});
