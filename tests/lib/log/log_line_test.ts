import { assertEquals } from "@std/assert";
import { formatLine, type LogFields } from "../../../lib/log/log_line.ts";

/** The line of an event with these fields, from the event on. */
function fieldsOf(fields: LogFields): string {
  return formatLine(0, "INFO", "echo", "event", fields).replace(/^.*? event ?/, "");
}

Deno.test("formatLine() shows every millisecond", () => {
  const times = [1_769_862_896_789, 1_769_862_896_789, 1_769_862_896_790, 0];

  assertEquals(times.map((atMs) => formatLine(atMs, "WARN", "chat", "paused")), [
    "2026-01-31T12:34:56.789Z WARN chat paused",
    "2026-01-31T12:34:56.789Z WARN chat paused",
    "2026-01-31T12:34:56.790Z WARN chat paused",
    "1970-01-01T00:00:00.000Z WARN chat paused",
  ]);
});

const FIELDS: [what: string, fields: LogFields, shown: string][] = [
  ["numbers and booleans", { conn: 3, ms: 0.5, tls: true }, "conn=3 ms=0.5 tls=true"],
  ["plain text", { peer: "[::1]:50312", path: "/a-b_c~d" }, "peer=[::1]:50312 path=/a-b_c~d"],
  ["nothing for undefined", { user: undefined, conn: 1 }, "conn=1"],
  ["an empty text", { user: "" }, 'user=""'],
  ["spaces", { why: "closed by peer" }, 'why="closed by peer"'],
  ["an equals sign", { user: "a=b" }, 'user="a=b"'],
  ["a quote", { user: 'a"b' }, 'user="a\\"b"'],
  ["a backslash", { user: "a\\b" }, 'user="a\\\\b"'],
  ["letters of any script", { user: "Анна" }, 'user="Анна"'],
  ["a newline", { user: "a\nb" }, 'user="a\\nb"'],
  ["DEL and C1", { user: "\x7f\x9b" }, 'user="\\x7f\\x9b"'],
  ["an override", { user: "\u202ea" }, 'user="\\u{202e}a"'],
  ["a hostile key", { "a\nb": 1 }, "a\\nb=1"],
];

for (const [what, fields, shown] of FIELDS) {
  Deno.test(`formatLine() shows ${what}`, () => {
    assertEquals(fieldsOf(fields), shown);
  });
}
