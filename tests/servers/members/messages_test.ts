import { assertEquals } from "@std/assert";
import type { GoodbyeReason } from "../../../lib/server/end_reason.ts";
import { goodbyeMessage, problemOf } from "../../../servers/members/messages.ts";

Deno.test("problemOf() refuses a text that shows nothing", () => {
  for (
    const text of ["", " \t\n", "\u3000\u00a0", "\u2800", "\u200c\u200d", "\ufe0f"]
  ) {
    assertEquals(problemOf(text)?.message, "Send a text that is not blank", JSON.stringify(text));
  }
  assertEquals(problemOf("\u2800."), undefined);
});

Deno.test("goodbyeMessage() tells who shall come back after how long", () => {
  const reasons: GoodbyeReason[] = [
    "full",
    "crowded",
    "paused",
    "shutdown",
    "idle",
    "kicked",
    "protocol",
    "failed",
  ];

  const byes = reasons.map((reason) => JSON.parse(goodbyeMessage(reason)));

  assertEquals(byes.map(({ type }) => type), reasons.map(() => "bye"));
  assertEquals(byes.map(({ reason, retryAfterMs }) => [reason, retryAfterMs]), [
    ["full", 5000],
    ["full", 5000],
    ["paused", 1000],
    ["shutdown", 1000],
    ["idle", undefined],
    ["kicked", undefined],
    ["protocol", undefined],
    ["protocol", 1000],
  ]);
});
