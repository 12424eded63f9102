import { assertEquals } from "@std/assert";
import { formatLine, type LogFields } from "../../../lib/log/log_line.ts";
import { type Attempt, attemptLog } from "../../../servers/members/attempt_log.ts";
import { infoOf } from "../../support/served.ts";

/** The lines that attempts leave, without their time. */
function linesOf(attempts: [conn: number, attempt: Attempt][]): string[] {
  const lines: string[] = [];
  const write = (level: string) => (event: string, fields?: LogFields) =>
    void lines.push(formatLine(0, level, "chat", event, fields).replace(/^\S+ /, ""));
  const levels = { info: write("INFO"), warn: write("WARN") };
  const tell = attemptLog({
    ...levels,
    audit: (level, event, fields) => levels[level](`${event} (audit)`, fields),
  });
  const conns = [1, 2].map((id) => infoOf(id, "::1"));
  for (const [conn, attempt] of attempts) tell(conns[conn - 1]!, attempt);
  return lines;
}

Deno.test("attemptLog() tells who got in by what, with the name escaped", () => {
  const lines = linesOf([
    [1, { type: "register", name: "Anna" }],
    [1, { type: "login", name: "An\nna" }],
    [2, { type: "hello", name: "Анна" }],
  ]);

  assertEquals(lines, [
    "INFO chat client logged in (audit) conn=1 name=Anna by=registration",
    'INFO chat client logged in (audit) conn=1 name="An\\nna" by=password',
    'INFO chat client logged in conn=2 name="Анна" by=token',
  ]);
});

Deno.test("attemptLog() tells each guess, and those not even tried once a connection", () => {
  const lines = linesOf([
    [1, { type: "login", code: "bad_credentials" }],
    [1, { type: "login", code: "bad_credentials" }],
    [1, { type: "login", code: "throttled" }],
    [1, { type: "register", code: "throttled" }],
    [2, { type: "login", code: "throttled" }],
    [1, { type: "register", code: "name_taken" }],
    [1, { type: "login", code: "throttled" }],
    [1, { type: "hello", code: "unavailable" }],
  ]);

  assertEquals(lines, [
    "WARN chat login refused (audit) conn=1 peer=::1:1 by=password code=bad_credentials",
    "WARN chat login refused (audit) conn=1 peer=::1:1 by=password code=bad_credentials",
    "WARN chat login refused conn=1 peer=::1:1 by=password code=throttled",
    "WARN chat login refused conn=2 peer=::1:2 by=password code=throttled",
    "WARN chat login refused conn=1 peer=::1:1 by=registration code=name_taken",
    "WARN chat login refused conn=1 peer=::1:1 by=password code=throttled",
  ]);
});
