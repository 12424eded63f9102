import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { packError, unpackError } from "../../../servers/threads/carried_error.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";

function carry(thrown: unknown): Error {
  return unpackError(structuredClone(packError(thrown)));
}

Deno.test("unpackError() makes an error of the same class, with its message and stack", () => {
  for (const name of ["ConnectionReset", "TimedOut", "UnexpectedEof", "InvalidData"] as const) {
    const error = new Deno.errors[name]("Cannot do it");

    const carried = carry(error);

    assertInstanceOf(carried, Deno.errors[name]);
    assertEquals([carried.name, carried.message, carried.stack], [
      name,
      "Cannot do it",
      error.stack,
    ]);
  }
});

Deno.test("unpackError() keeps the numbers of a FrameTooLargeError", () => {
  const carried = carry(new FrameTooLargeError("receive", 5, 4));

  assertInstanceOf(carried, FrameTooLargeError);
  assertEquals([carried.bodyBytes, carried.maxBodyBytes], [5, 4]);
});

Deno.test("unpackError() makes an Error of a class that it does not know, with its name", () => {
  class Surprise extends Error {
    override name = "constructor";
    reason = () => {};
  }

  const carried = carry(new Surprise("boo"));

  assertEquals([carried.constructor, carried.name, carried.message], [Error, "constructor", "boo"]);
});

Deno.test("packError() takes what is no error", () => {
  const carried = carry("thrown text");

  assertInstanceOf(carried, Error);
  assertStringIncludes(carried.message, "thrown text");
});

Deno.test("unpackError() knows the errors of the language, and keeps numbers and texts", () => {
  for (const Class of [RangeError, TypeError, SyntaxError]) {
    assertInstanceOf(carry(new Class("Cannot do it")), Class);
  }

  const error = Object.assign(new Error("boo"), { code: "EMFILE", errno: 24 });

  const { name, code, errno } = carry(error) as typeof error;

  assertEquals([name, code, errno], ["Error", "EMFILE", 24]);
});
