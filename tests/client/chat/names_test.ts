import { assertEquals } from "@std/assert";
import { Names } from "../../../client/chat/names.ts";

function namesOf(...names: string[]): Names {
  const seen = new Names();
  seen.take({ type: "users", names });
  return seen;
}

Deno.test("Names.complete() completes commands at the start", () => {
  const commands = ["/help", "/history", "/quit"];

  assertEquals(namesOf("quentin").complete("/h", commands), ["/help", "/history"]);
  assertEquals(namesOf("quentin").complete("/quit", commands), ["/quit"]);
});

Deno.test("Names.complete() completes names, in capitals or not", () => {
  const names = namesOf("Boris", "anna", "Яна", "bella");

  for (
    const [before, words] of [
      ["b", ["Boris", "bella"]],
      ["/msg BO", ["Boris"]],
      ["hi я", ["Яна"]],
      ["/msg ", ["Boris", "anna", "bella", "Яна"]],
      ["/tell ", ["Boris", "anna", "bella", "Яна"]],
      ["hi ", []],
    ] as [string, string[]][]
  ) assertEquals(names.complete(before, []), words);
});

Deno.test("Names.take() takes no name that would confuse the terminal, nor without a limit", () => {
  const many = Array.from({ length: 340_000 }, (_, i) => `n${i}`);
  const names = new Names();
  names.take({ type: "users", names: ["x\x1b[2J", "x y", ...many] });

  assertEquals(names.complete("x", []), []);
  assertEquals(names.complete("n", []).length, 998);
});

Deno.test("Names.take() remembers a thousand names, and forgets the one not seen for longest", () => {
  const names = namesOf("first", "second", ...Array.from({ length: 998 }, (_, i) => `n${i}`));
  assertEquals(names.complete("f", []), ["first"]);

  names.take({ type: "message", id: 1, at: 1, from: "FIRST", text: "", to: "last" });

  assertEquals(names.complete("s", []), []);
  assertEquals([names.complete("f", []), names.complete("l", [])], [["FIRST"], ["last"]]);
});

Deno.test("Names.spellingOf() gives a name as it was seen last", () => {
  const names = namesOf("Anna", "Boris", "ANNA");

  assertEquals(
    ["anna", "ｂoris", "carl", "?"].map((typed) => names.spellingOf(typed)),
    ["ANNA", "Boris", "carl", "?"],
  );
});

Deno.test("Names.isAway() knows who is here once it has the whole list", () => {
  const names = new Names();
  const isAway = () => ["anna", "boris"].map((name) => names.isAway(name));
  names.take({ type: "joined", name: "boris", at: 1 });
  assertEquals(isAway(), [false, false]);

  names.take({ type: "users", names: ["Anna"] });
  assertEquals(isAway(), [false, true]);
  names.take({ type: "joined", name: "Boris", at: 1 });
  names.take({ type: "left", name: "anna", at: 1 });
  assertEquals(isAway(), [true, false]);

  names.take({ type: "users", names: ["Anna"], more: 1 });
  assertEquals(isAway(), [false, false]);
});
