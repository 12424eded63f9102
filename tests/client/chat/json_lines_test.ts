import { assertEquals, assertNotEquals } from "@std/assert";
import type { CommandTarget } from "../../../client/chat/chat_commands.ts";
import { botLine, runBotLine } from "../../../client/chat/json_lines.ts";
import { notingTarget } from "../shared/noting_target.ts";

/** Notes what a line did. */
function run(line: string): unknown[] {
  const done: unknown[] = [];
  const say: CommandTarget["say"] = (text, { to, ref } = {}) => done.push({ text, to, ref });
  runBotLine(line, notingTarget(done, { say }));
  return done;
}

for (
  const [line, done] of [
    ['{"type":"say","text":"hi","ref":"a"}', { text: "hi", to: undefined, ref: "a" }],
    ['{"type":"tell","to":"b","text":"hi","ref":"a"}', { text: "hi", to: "b", ref: "a" }],
    ['{"type":"history","before":3}', { type: "history", before: 3 }],
    ['{"type":"logout"}', { logout: true }],
    ["hi", ["refused", "Not sent: Send one JSON object in a frame"]],
    ['{"type":"say"}', ["refused", "Not sent: Send text as a string of whole characters"]],
    ['{"type":"hello","version":1}', ["refused", "Not sent: the client says hello itself"]],
  ] as const
) {
  Deno.test(`runBotLine() takes ${line}`, () => {
    assertEquals(run(line), [done]);
  });
}

Deno.test("runBotLine() passes over blank lines", () => {
  assertEquals([run(""), run(" \r")], [[], []]);
});

Deno.test("runBotLine() gives each text without a ref a new one", () => {
  const [first, second] = [run('{"type":"say","text":"hi"}'), run('{"type":"say","text":"hi"}')];

  assertNotEquals((first[0] as { ref?: string }).ref, undefined);
  assertNotEquals(first, second);
});

Deno.test("botLine() is JSON without control characters and without the token", () => {
  const text = "\x1b\x9b\u202e\u2028\u{e0001}é\n";
  const line = botLine({ type: "notice", text });

  assertEquals(line, '{"type":"notice","text":"\\u001b\\u009b\\u202e\\u2028\\udb40\\udc01é\\n"}');
  assertEquals(JSON.parse(line).text, text);
  assertEquals(
    botLine({ type: "welcome", name: "anna", token: "secret", expires: 1, last: 2 }),
    '{"type":"welcome","name":"anna","expires":1,"last":2}',
  );
});
