import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import {
  CHAT_COMMANDS,
  type CommandTarget,
  runBotLine,
  runChatLine,
} from "../../../client/chat/chat_commands.ts";
import { notingTarget } from "./noting_target.ts";

/** Notes what a line did. */
function run(line: string, { hasChat = true, oldest = 9 }: Partial<CommandTarget> = {}): unknown[] {
  const done: unknown[] = [];
  const say: CommandTarget["say"] = (text, { to } = {}) =>
    done.push(to === undefined ? ["say", text] : ["tell", to, text]);
  runChatLine(line, notingTarget(done, { hasChat, oldest, say }));
  return done;
}

for (
  const [line, done] of [
    ["hello", ["say", "hello"]],
    [" hello /who ", ["say", " hello /who "]],
    ["//etc/passwd", ["say", "/etc/passwd"]],
    ["/msg boris  two  words ", ["tell", "boris", "two  words"]],
    ["/MSG boris hi", ["tell", "boris", "hi"]],
    ["/tell boris hi", ["tell", "boris", "hi"]],
    ["/who", { type: "who" }],
    ["/me", { type: "whoami" }],
    ["/history", { type: "history", limit: 20, before: 9 }],
    ["/history 3", { type: "history", limit: 3, before: 9 }],
    ["/clear", "clear"],
    ["/logout", { logout: true }],
    ["/quit ", { logout: false }],
    [" EXIT ", { logout: false }],
    ["exit now", ["say", "exit now"]],
    ["/msg boris", ["refused", "Usage: /msg NAME text"]],
    ["/msg", ["refused", "Usage: /msg NAME text"]],
    ["/history -1", ["refused", "Usage: /history [n]"]],
    ["/me waves", ["refused", "Usage: /me"]],
    ["/hsitory", ["refused", "There is no command /hsitory: did you mean /history?"]],
    ["/\x1b[2J", ["refused", "There is no command /\\x1b[2J: /help shows what there is"]],
    ["/constructor", ["refused", "There is no command /constructor: /help shows what there is"]],
    ["/ who", ["refused", "There is no command /: /help shows what there is"]],
  ] as const
) {
  Deno.test(`runChatLine() takes ${JSON.stringify(line)}`, () => {
    assertEquals(run(line), [done]);
  });
}

Deno.test("runChatLine() does nothing for a blank line", () => {
  assertEquals(run(" \t"), []);
});

for (
  const [line, done] of [
    ["whoami", { type: "whoami" }],
    ["Logout ", { logout: true }],
    ["who", ["say", "who"]],
    ["/who", ["refused", "This server has no chat, and no command /who: did you mean /whoami?"]],
  ] as const
) {
  Deno.test(`runChatLine() takes ${JSON.stringify(line)} where there is no chat`, () => {
    assertEquals(run(line, { hasChat: false }), [done]);
  });
}

Deno.test("CHAT_COMMANDS.help lists every command, and those alone that the server has", () => {
  const [[, all]] = run("/help") as [[string, string]];
  const [[, few]] = run("/help", { hasChat: false }) as [[string, string]];

  for (const name of Object.keys(CHAT_COMMANDS)) assertStringIncludes(all, `  /${name} `);
  assertStringIncludes(few, "/logout");
  assert(!few.includes("/msg"));
});

/** Notes what a line did. */
function runBot(line: string): unknown[] {
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
    ['{"type":"say"}', [
      "refused",
      "Not sent: Send text as a string of at most 16384 whole characters",
    ]],
    ['{"type":"hello","version":1}', ["refused", "Not sent: the client sends hello itself"]],
  ] as const
) {
  Deno.test(`runBotLine() takes ${line}`, () => {
    assertEquals(runBot(line), [done]);
  });
}

Deno.test("runBotLine() passes over blank lines", () => {
  assertEquals([runBot(""), runBot(" \r")], [[], []]);
});

Deno.test("runBotLine() gives each text without a ref a new one", () => {
  const [first, second] = [
    runBot('{"type":"say","text":"hi"}'),
    runBot('{"type":"say","text":"hi"}'),
  ];

  assertNotEquals((first[0] as { ref?: string }).ref, undefined);
  assertNotEquals(first, second);
});
