import { assertEquals } from "@std/assert";
import type { LogFields } from "../../../lib/log/log_line.ts";
import { TroubleLog } from "../../../servers/logging/trouble_log.ts";
import { stubClock } from "../../support/turns.ts";

Deno.test("TroubleLog.tell() tells the first failure at once, and later ones together once in 10 s", () => {
  using clock = stubClock();
  const lines: [string, LogFields | undefined][] = [];
  const log = { error: (event: string, fields?: LogFields) => void lines.push([event, fields]) };
  const { tell } = new TroubleLog(log, "storage failed");

  for (const at of [5, 6, 10_004, 10_005, 10_006, 40_000, 60_000]) {
    clock.ms = at;
    tell(new Error(`at ${at}`));
  }

  assertEquals(lines, [
    ["storage failed", { error: "Error: at 5" }],
    ["storage failed", { error: "Error: at 10005", more: 2 }],
    ["storage failed", { error: "Error: at 40000", more: 1 }],
    ["storage failed", { error: "Error: at 60000" }],
  ]);
});

Deno.test("TroubleLog.lasting tells since when it fails, and why, until it works", () => {
  using clock = stubClock();
  const trouble = new TroubleLog({ error: () => {} }, "storage failed");
  const told = [trouble.lasting];

  trouble.tell(new Error("the disk is full"));
  told.push(trouble.lasting);
  clock.ms = 60_000;
  trouble.tell(new Error("the disk failed"));
  told.push(trouble.lasting);
  trouble.end();
  told.push(trouble.lasting);
  trouble.tell("odd");
  told.push(trouble.lasting);

  const at = (ms: number) => new Date(performance.timeOrigin + ms).toISOString();
  assertEquals(told, [
    undefined,
    `failing since ${at(0)}: the disk is full`,
    `failing since ${at(0)}: the disk failed`,
    undefined,
    `failing since ${at(60_000)}: odd`,
  ]);
});
