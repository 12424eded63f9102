import { assertEquals } from "@std/assert";
import { NamesSeen } from "../../../client/chat/names_seen.ts";

function namesOf(...names: string[]): NamesSeen {
  const seen = new NamesSeen();
  seen.add(...names);
  return seen;
}

Deno.test("NamesSeen.complete() completes commands at the start", () => {
  const names = namesOf("quentin");

  assertEquals(names.complete("/h"), ["/help", "/history"]);
  assertEquals(names.complete("/quit"), ["/quit"]);
  names.hasChat = false;
  assertEquals(names.complete("/h"), ["/help"]);
});

Deno.test("NamesSeen.complete() completes names, in capitals or not", () => {
  const names = namesOf("Boris", "anna", "Яна", "bella");

  assertEquals(names.complete("b"), ["Boris", "bella"]);
  assertEquals(names.complete("/msg BO"), ["Boris"]);
  assertEquals(names.complete("hi я"), ["Яна"]);
  assertEquals(names.complete("/msg "), ["Boris", "anna", "bella", "Яна"]);
  assertEquals(names.complete("/tell "), ["Boris", "anna", "bella", "Яна"]);
  assertEquals(names.complete("hi "), []);
});

Deno.test("NamesSeen.add() takes no name that would confuse the terminal", () => {
  assertEquals(namesOf("x\x1b[2J", "x y").complete("x"), []);
});

Deno.test("NamesSeen.add() remembers a thousand names, and forgets whom it has not met for longest", () => {
  const names = namesOf("first", "second", ...Array.from({ length: 998 }, (_, i) => `n${i}`));
  assertEquals(names.complete("f"), ["first"]);

  names.add("FIRST", "last");

  assertEquals(names.complete("s"), []);
  assertEquals([names.complete("f"), names.complete("l")], [["FIRST"], ["last"]]);
  assertEquals(names.complete("n").length, 998);
});

Deno.test("NamesSeen.spellingOf() gives a name as it was met last", () => {
  const names = namesOf("Anna", "Boris", "ANNA");

  assertEquals(names.spellingOf("anna"), "ANNA");
  assertEquals(names.spellingOf("ｂoris"), "Boris");
  assertEquals(names.spellingOf("carl"), "carl");
  assertEquals(names.spellingOf("?"), "?");
  assertEquals(names.complete("a"), ["ANNA"]);
});
