import { assert, assertEquals } from "@std/assert";
import { MAX_BREAKS, MAX_UNANSWERED, Unanswered } from "../../../client/line/unanswered.ts";
import { isPending } from "../../support/turns.ts";

Deno.test("Unanswered.changed settles once for each change", async () => {
  const lines = new Unanswered();
  const changes = [lines.changed];
  lines.add("a");
  changes.push(lines.changed);
  lines.answer();
  await Promise.all(changes);

  assert(await isPending(lines.changed));
});

Deno.test("Unanswered.isFull from 64 lines on", () => {
  const lines = new Unanswered();
  for (let i = 1; i < MAX_UNANSWERED; i++) lines.add("x");

  assertEquals(lines.isFull, false);
  lines.add("x");
  assertEquals(lines.isFull, true);
});

Deno.test("Unanswered.blameOldest() takes the line out at the fifth break", () => {
  const lines = new Unanswered();
  for (const text of ["a", "b"]) lines.add(text);

  const taken = Array.from({ length: MAX_BREAKS }, () => lines.blameOldest());

  assertEquals([taken, lines.oldest], [[false, false, false, false, true], "b"]);
});
