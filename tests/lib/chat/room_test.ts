import { assertEquals, assertThrows } from "@std/assert";
import { type Member, Room } from "../../../lib/chat/room.ts";

function member(name: string, heard: string[] = []): Member<string> & { heard: string[] } {
  return { name, key: name.toLowerCase(), heard, deliver: (text) => heard.push(text) };
}

Deno.test("Room.broadcast() reaches every member in the order of the calls, except the one", () => {
  const room = new Room<string>();
  const [anna, phone, bob] = [member("Anna"), member("ANNA"), member("Bob")];
  const _seats = [anna, phone, bob].map((each) => room.join(each));

  room.broadcast("1");
  room.broadcast("2", { except: anna });
  room.broadcast("3");

  assertEquals([anna, phone, bob].map(({ heard }) => heard), [["1", "3"], ["1", "2", "3"], [
    "1",
    "2",
    "3",
  ]]);
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

Deno.test("Room reaches every member in the same order also when a delivery leads to another", () => {
  const room: Room<string> = new Room({
    onUserLeft: ({ name }) => {
      room.broadcast(`${name} left`);
      room.tell("bob", "psst");
    },
  });
  const [anna, bob] = [member("Anna"), member("Bob")];
  const seats = [room.join(anna)];
  seats.push(room.join({ ...member("Slow"), deliver: () => seats[1]![Symbol.dispose]() }));
  seats.push(room.join(bob));

  room.broadcast("1");

  assertEquals([anna, bob].map(({ heard }) => heard), [["1", "Slow left"], [
    "1",
    "Slow left",
    "psst",
  ]]);
});

Deno.test("Room delivers to those who were there at the call, also when it has to wait", () => {
  const room = new Room<string>();
  const [bob, carla] = [member("Bob"), member("Carla")];
  const seats: Disposable[] = [];
  const anna = {
    ...member("Anna"),
    deliver(text: string) {
      if (text !== "1") return;
      assertEquals(room.tell("bob", "you are out"), true);
      room.broadcast("before Carla");
      seats[0]![Symbol.dispose]();
      room.join(carla);
    },
  };
  room.join(anna);
  seats.push(room.join(bob));

  room.broadcast("1");

  assertEquals([bob.heard, carla.heard], [["you are out", "before Carla"], ["1"]]);
});

Deno.test("Room.broadcast() goes on after a member that throws, which it may not", () => {
  const room = new Room<string>();
  const bob = member("Bob");
  const bad = {
    ...member("Bad"),
    deliver(text: string) {
      room.broadcast(`after ${text}`, { except: bad });
      throw new Error(text);
    },
  };
  const _seats = [room.join(bad), room.join(bob)];

  assertThrows(() => room.broadcast("1"), Error, "1");
  room.broadcast("2", { except: bad });

  assertEquals(bob.heard, ["after 1", "2"]);
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

Deno.test("Room.join() gives a seat that, left twice, leaves alone who has come back meanwhile", () => {
  const room = new Room<string>();
  const anna = member("Anna");
  const seat = room.join(anna);
  seat[Symbol.dispose]();
  room.join(anna);

  seat[Symbol.dispose]();

  assertEquals(room.names(), ["Anna"]);
});

Deno.test("Room.join() keeps a member of the same user that was let in meanwhile", () => {
  const [anna, phone] = [member("Anna"), member("ANNA")];
  const room: Room<string> = new Room({
    onUserJoined: (joining) => joining === anna && void room.join(phone),
  });

  const _seat = room.join(anna);

  assertEquals([room.size, room.names()], [2, ["ANNA"]]);
});
