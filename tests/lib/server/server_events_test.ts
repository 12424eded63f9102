import { assertEquals, assertStrictEquals } from "@std/assert";
import { reportedBy } from "../../support/events.ts";
import { emit, type ServerEvent } from "../../../lib/server/server_events.ts";

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
