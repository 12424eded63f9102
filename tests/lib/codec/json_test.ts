import { assertEquals, assertThrows } from "@std/assert";
import { json } from "../../../lib/codec/json.ts";

const anything = json((value) => value);

Deno.test("json() gives what validate returns, and not what came", () => {
  const names = json((value) => (value as { names: string[] }).names);

  assertEquals(names.decode('{"names":["Anna"],"other":1}'), ["Anna"]);
});

Deno.test("json() refuses a text that is not JSON without quoting it", () => {
  for (const text of ["", "{", "secret", '{"a":secret}', "[1,]", "NaN", "\u0000", "Goodbye: x"]) {
    const error = assertThrows(() => anything.decode(text), TypeError, "it is not JSON");
    assertEquals(error.cause, undefined);
  }
});

const HOSTILE_KEYS = [
  '{"__proto__":{"isAdmin":true}}',
  '{"__proto__" \n:1}',
  '[{"a":{"__proto__":null}}]',
  '{"\\u005f_proto__":1}',
  '{"\\u005F\\u005F\\u0070\\u0072\\u006f\\u0074\\u006F\\u005f\\u005f":1}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"\\u0063onstructor": {"prototyp\\u0065":1}}',
];

for (const text of HOSTILE_KEYS) {
  Deno.test(`json() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => anything.decode(text), TypeError, "it has the key");
  });
}

Deno.test("json() takes texts that speak of prototypes, and keys that only look like one", () => {
  const values: unknown[] = [
    { text: '"__proto__": 1' },
    { text: "__proto__" },
    { __proto: 1, proto__: 2 },
    { constructor: "Ferrari" },
    { constructor: { name: "Ferrari" } },
    { prototype: { wheels: 4 } },
    ["__proto__", "constructor"],
  ];

  for (const value of values) assertEquals(anything.decode(JSON.stringify(value)), value);
});

Deno.test("json() reads and refuses what is nested as deep as a message can be long", () => {
  const depth = 500_000;

  anything.decode("[".repeat(depth) + "]".repeat(depth));
  assertThrows(() => anything.decode("[".repeat(depth)), TypeError, "it is not JSON");
  assertThrows(() => anything.decode('{"a":'.repeat(depth)), TypeError, "it is not JSON");
});

Deno.test("json() refuses to send what JSON cannot say", () => {
  assertThrows(() => anything.encode(undefined), TypeError, "Cannot send a undefined as JSON");
  assertThrows(() => anything.encode(() => {}), TypeError, "Cannot send a function as JSON");
  assertThrows(() => anything.encode(1n), TypeError);
});
