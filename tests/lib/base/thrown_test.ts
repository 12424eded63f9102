import { assertEquals, assertStringIncludes } from "@std/assert";
import { messageOf, stackOf } from "../../../lib/base/thrown.ts";
import { ODD_VALUES } from "./odd_values.ts";

Deno.test("messageOf() gives the message of an error, stackOf() its stack, and both the text of other values", () => {
  assertEquals(messageOf(new Error("lost")), "lost");
  assertStringIncludes(stackOf(new TypeError("lost")), "TypeError: lost\n    at ");
  assertEquals([messageOf("text"), stackOf("text")], ["text", "text"]);
});

Deno.test("messageOf() and stackOf() give a text for whatever was thrown", () => {
  const none = "a value without a text";
  const expected = ["undefined", none, "Symbol(odd)", none, none, "7"];

  assertEquals(Object.values(ODD_VALUES).map(messageOf), expected);
  assertEquals(Object.values(ODD_VALUES).map(stackOf), expected);
});
