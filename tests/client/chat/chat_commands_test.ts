import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  CHAT_COMMANDS,
  type CommandTarget,
  runChatLine,
} from "../../../client/chat/chat_commands.ts";
import { notingTarget } from "../shared/noting_target.ts";

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

Deno.test("runChatLine() takes bare words for commands where there is no chat", () => {
  assertEquals(run("whoami", { hasChat: false }), [{ type: "whoami" }]);
  assertEquals(run("who", { hasChat: false }), [
    ["refused", "This server has no chat, and no command /who: did you mean /whoami?"],
  ]);
});

Deno.test("CHAT_COMMANDS.help lists every command, and those alone that the server has", () => {
  const [[, all]] = run("/help") as [[string, string]];
  const [[, few]] = run("/help", { hasChat: false }) as [[string, string]];

  for (const name of Object.keys(CHAT_COMMANDS)) assertStringIncludes(all, `  /${name} `);
  assertStringIncludes(few, "/logout");
  assert(!few.includes("/msg"));
});
