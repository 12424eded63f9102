import { assertEquals } from "@std/assert";
import { GOODBYE_PREFIX, type GoodbyeReason, goodbyeText } from "../../../lib/server/goodbye.ts";

const sentences: Record<GoodbyeReason, string> = {
  full: "Goodbye: the server is full, try again later",
  crowded: "Goodbye: too many connections from your address, close one and try again",
  paused: "Goodbye: the server pauses, come back in a moment",
  shutdown: "Goodbye: the server stops",
  idle: "Goodbye: nothing was heard from you for too long",
  kicked: "Goodbye: the operator ended the connection",
  protocol: "Goodbye: what you sent cannot be read",
  failed: "Goodbye: the server could not go on, try again",
};

for (const [reason, sentence] of Object.entries(sentences)) {
  Deno.test(`goodbyeText() has a sentence for \`${reason}\``, () => {
    assertEquals(goodbyeText(reason as GoodbyeReason), sentence);
  });
}

Deno.test("goodbyeText() prefers the detail", () => {
  assertEquals(goodbyeText("protocol", "the limit is 3"), "Goodbye: the limit is 3");
});

Deno.test("goodbyeText() always begins in the way that clients know", () => {
  assertEquals(goodbyeText("full").startsWith(GOODBYE_PREFIX), true);
});
