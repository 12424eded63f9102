import { assertEquals } from "@std/assert";
import type { LogFields } from "../../lib/log_line.ts";
import { troubleLog } from "../../servers/trouble_log.ts";

Deno.test("troubleLog() tells the first failure at once, and later ones together once in 10 s", () => {
  let now = 5;
  const lines: [string, LogFields | undefined][] = [];
  const log = { error: (event: string, fields?: LogFields) => void lines.push([event, fields]) };
  const tell = troubleLog(log, "storage failed", () => now);

  for (const at of [5, 6, 10_004, 10_005, 10_006, 40_000, 60_000]) {
    now = at;
    tell(new Error(`at ${at}`));
  }

  assertEquals(lines, [
    ["storage failed", { error: "Error: at 5" }],
    ["storage failed", { error: "Error: at 10005", more: 2 }],
    ["storage failed", { error: "Error: at 40000", more: 1 }],
    ["storage failed", { error: "Error: at 60000" }],
  ]);
});
