import { assertEquals } from "@std/assert";
import type { GoodbyeReason } from "../../../lib/server/end_reason.ts";
import { goodbyeMessage } from "../../../servers/members/messages.ts";

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
