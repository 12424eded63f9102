import { assertEquals } from "@std/assert";
import { parseServerMessage } from "../../lib/protocol.ts";

const parse = (message: unknown) => parseServerMessage(JSON.stringify(message));

Deno.test("parseServerMessage() gives a message as it came", () => {
  const message = { type: "message", id: 1, at: 2, from: "a", text: "b", to: "c", replay: true };

  assertEquals(parse(message), message as never);
});

Deno.test("parseServerMessage() gives nothing for what it does not know", () => {
  for (const message of [null, 1, [], {}, { type: 1 }, { type: "weather" }, { type: "toString" }]) {
    assertEquals(parse(message), undefined);
  }
  assertEquals(parseServerMessage("{"), undefined);
});

Deno.test("parseServerMessage() gives nothing where a field is missing or of another kind", () => {
  for (
    const message of [
      { type: "hello", version: 1 },
      { type: "message", id: 1, at: 2, from: "a" },
      { type: "message", id: "1", at: 2, from: "a", text: "b" },
      { type: "message", id: 1, at: 2, from: "a", text: "b", to: 3 },
      { type: "said", ref: "r", id: -1 },
      { type: "users", names: ["a", 1] },
      { type: "bye", reason: "paused", retryAfterMs: "soon" },
    ]
  ) {
    assertEquals(parse(message), undefined, JSON.stringify(message));
  }
});
