import { assertEquals } from "@std/assert";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import {
  actionAfter,
  endReasonOf,
  GOODBYE_PREFIX,
  type GoodbyeReason,
  goodbyeReasonOf,
  goodbyeText,
} from "../../../lib/server/end_reason.ts";

const goodbyes: [GoodbyeReason, string, string][] = [
  ["full", "the server is full, try again later", "retry"],
  ["crowded", "too many connections from your address, close one and try again", "retry"],
  ["paused", "the server pauses, come back in a moment", "retry"],
  ["shutdown", "the server stops", "retry"],
  ["idle", "nothing was heard from you for too long", "wait"],
  ["kicked", "the operator ended the connection", "stop"],
  ["protocol", "what you sent cannot be read", "check"],
  ["failed", "the server could not go on, try again", "check"],
];
for (const [reason, sentence, action] of goodbyes) {
  Deno.test(`goodbyeText() of \`${reason}\` tells a client to ${action}`, () => {
    assertEquals(goodbyeText(reason), GOODBYE_PREFIX + sentence);
    assertEquals(actionAfter(goodbyeText(reason)), action);
    assertEquals(goodbyeReasonOf(reason), reason);
  });
}

Deno.test("goodbyeText() prefers the detail, and what it says is to be checked", () => {
  const text = goodbyeText("protocol", "the limit is 3");

  assertEquals(text, "Goodbye: the limit is 3");
  assertEquals(actionAfter(text), "check");
});

Deno.test("goodbyeReasonOf() is nothing at an end that the peer knows of", () => {
  assertEquals(goodbyeReasonOf("truncated"), "protocol");
  for (const reason of ["finished", "lost", "ended"] as const) {
    assertEquals(goodbyeReasonOf(reason), undefined);
  }
});

const osError = (error: Error, code: string) => Object.assign(error, { code });

const reasons: [string, unknown, string][] = [
  ["a receive that waited too long", new Deno.errors.TimedOut(), "idle"],
  ["a stream that ended inside a frame", new Deno.errors.UnexpectedEof(), "truncated"],
  ["a text that is not UTF-8", new Deno.errors.InvalidData(), "protocol"],
  ["a frame over the limit", new FrameTooLargeError("receive", 4, 3), "protocol"],
  ["a reset", new Deno.errors.ConnectionReset(), "lost"],
  ["a broken pipe", new Deno.errors.BrokenPipe(), "lost"],
  ["an aborted connection", new Deno.errors.ConnectionAborted(), "lost"],
  ["a missing connection", new Deno.errors.NotConnected(), "lost"],
  ["a peer that answers no more", osError(new Deno.errors.TimedOut(), "ETIMEDOUT"), "lost"],
  ["a route that is gone", osError(new Error(), "EHOSTUNREACH"), "lost"],
  ["a closed connection", new Deno.errors.BadResource(), "failed"],
  ["any other error", new Error(), "failed"],
  ["a value that is no error", "text", "failed"],
];
for (const [what, error, reason] of reasons) {
  Deno.test(`endReasonOf() takes ${what} for \`${reason}\``, () => {
    assertEquals(endReasonOf(error), reason);
  });
}
