import { assertEquals, assertStrictEquals } from "@std/assert";
import { reportedBy } from "../../support/events.ts";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import { emit, endReasonOf, type ServerEvent } from "../../../lib/server/server_events.ts";

const osError = (error: Error, code: string) => Object.assign(error, { code });

const reasons: [string, unknown, string][] = [
  ["a receive that waited too long", new Deno.errors.TimedOut(), "idle"],
  ["a stream that ended inside a frame", new Deno.errors.UnexpectedEof(), "torn"],
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

Deno.test("emit() hands the event over", () => {
  const told: ServerEvent[] = [];

  emit((event) => told.push(event), { type: "paused" });
  emit(undefined, { type: "stopped" });

  assertEquals(told, [{ type: "paused" }]);
});

Deno.test("emit() reports what `onEvent` throws, and goes on", async () => {
  const mistake = new Error("in onEvent");

  const reported = await reportedBy(() =>
    emit(() => {
      throw mistake;
    }, { type: "paused" })
  );

  assertStrictEquals(reported, mistake);
});
