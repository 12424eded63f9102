import { assert, assertEquals } from "@std/assert";
import { botLine, ChatView } from "../../../client/chat/view.ts";
import { nameStyle, painter } from "../../../lib/terminal/color.ts";
import type { ServerMessage } from "../../../lib/chat/protocol.ts";

const NOW = new Date(2026, 4, 2, 12, 34).getTime();
const WELCOME = { type: "welcome", name: "anna", token: "t", expires: 1, last: 0 } as const;

function open(isColored = false): ChatView {
  const view = new ChatView(painter(isColored), () => NOW);
  view.show(WELCOME);
  return view;
}

function said(text: string, fields: Partial<ServerMessage> = {}): ServerMessage {
  return { type: "message", id: 1, at: NOW, from: "boris", text, ...fields } as ServerMessage;
}

for (
  const [what, message, line] of [
    ["a message", said("hi"), "12:34   boris: hi"],
    ["one's own from elsewhere", said("hi", { from: "anna" }), "12:34 > anna: hi"],
    ["a private message", said("psst", { to: "anna" }), "12:34   boris (to anna): psst"],
    [
      "a message of another day",
      said("hi", { at: NOW - 86_400_000 }),
      "2026-05-01 12:34   boris: hi",
    ],
    ["a join", { type: "joined", name: "boris", at: NOW }, "12:34   boris joined"],
    ["who is here", { type: "users", names: ["anna", "boris"] }, "Here: anna, boris"],
    ["a notice", { type: "notice", text: "lunch" }, "Notice: lunch"],
    ["who one is", { type: "you", name: "anna" }, "You are anna"],
  ] as [string, ServerMessage, string][]
) {
  Deno.test(`ChatView.show() shows ${what}`, () => {
    assertEquals(open().show(message)?.text, line);
  });
}

Deno.test("ChatView.show() escapes all that a peer can choose", () => {
  const evil = "a\x1b[2J\r\n12:00 > anna: fake\u202e";
  const escaped = "a\\x1b[2J\\r\\n12:00 > anna: fake\\u{202e}";
  const view = open();
  const messages: ServerMessage[] = [
    said(evil),
    said("", { from: evil, to: evil }),
    { type: "joined", name: evil, at: NOW },
    { type: "users", names: [evil] },
    { type: "you", name: evil },
    { type: "notice", text: evil },
    { type: "error", code: "too_long", message: evil },
    { ...WELCOME, name: evil },
  ];

  for (const message of messages) {
    const text = view.show(message)!.text;
    // deno-lint-ignore no-control-regex -- the point of the test
    assert(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(text), text);
    assert(text.includes(escaped), text);
  }
});

Deno.test("ChatView.show() gives each name its colour, and none where colours are off", () => {
  const paint = painter(true);

  const text = open(true).show(said("hi"))!.text;

  assertEquals(text, `${paint("12:34", "dim")}   ${paint("boris", nameStyle("boris"))}: hi`);
  assert(!open().show(said("hi"))!.text.includes("\x1b"));
});

for (
  const [text, fields, rings] of [
    ["hi anna!", {}, true],
    ["@ANNA", {}, true],
    ["ａnna?", {}, true],
    ["susanna", {}, undefined],
    ["hi anna", { replay: true }, undefined],
    ["hi anna", { from: "anna" }, undefined],
    ["psst", { to: "anna" }, true],
  ] as const
) {
  Deno.test(`ChatView.show() ${rings ? "rings" : "is silent"} for ${JSON.stringify({ text, ...fields })}`, () => {
    assertEquals(open().show(said(text, fields))?.rings, rings);
  });
}

Deno.test("ChatView.show() shows an own message when it is said, and only with its text", () => {
  const own = { type: "tell", ref: "r", to: "boris", text: "psst" } as const;

  assertEquals(
    open().show({ type: "said", ref: "r", id: 1 }, own)?.text,
    "12:34 > anna (to boris): psst",
  );
  assertEquals(open().show({ type: "said", ref: "r", id: 1 }), undefined);
});

Deno.test("ChatView.show() tells once that messages came too fast", () => {
  const view = open();
  const tooFast = (ref: string) =>
    view.show({ type: "error", code: "too_fast", message: "Slow", ref })?.text;

  const texts = [tooFast("1"), tooFast("1")];
  view.show({ type: "said", ref: "1", id: 1 });
  texts.push(tooFast("2"));
  view.show({ type: "said", ref: "2", id: 2 });
  view.show({ type: "said", ref: "3", id: 3 });
  texts.push(tooFast("4"));

  const told = "Slower: messages wait until the server takes them";
  assertEquals(texts, [told, undefined, undefined, told]);
});

Deno.test("ChatView.show() does not tell a user that they themselves come and go", () => {
  const view = open();

  assertEquals(view.show({ type: "joined", name: "anna", at: NOW }), undefined);
  assertEquals(view.show({ type: "left", name: "anna", at: NOW }), undefined);
  assertEquals(view.show({ type: "left", name: "boris", at: NOW })?.text, "12:34   boris left");
});

Deno.test("ChatView.show() tells which message is not sent, and why", () => {
  const own = { type: "say", ref: "r", text: "long" } as const;

  const shown = open().show(
    { type: "error", code: "too_long", message: "Too long", ref: "r" },
    own,
  );

  assertEquals(shown, { text: "Not sent: Too long: long", isService: true });
});

Deno.test("ChatView shows the first words of a long text that is not sent, or waits", () => {
  const own = { type: "tell", ref: "r", to: "boris", text: "word ".repeat(1000) } as const;
  const words = "word word word word word word word word…";
  const error = { type: "error", code: "no_such_user", message: "No user", ref: "r" } as const;

  assertEquals(open().show(error, own)?.text, `Not sent (to boris): No user: ${words}`);
  assertEquals(open().waiting(own).text, `waits to be sent (to boris): ${words}`);
});

for (const reason of ["constructor", "__proto__", "toString", "moved"]) {
  Deno.test(`ChatView.show() shows a bye for the reason ${reason}`, () => {
    const bye = { type: "bye", reason } as unknown as ServerMessage;

    assertEquals(open().show(bye)?.text, "The server ended the connection");
  });
}

Deno.test("ChatView.show() bounds names, marks and times that a server chooses", () => {
  const names = Array.from({ length: 340_000 }, (_, i) => `n${i}`);
  const users = open().show({ type: "users", names, more: 5 })!.text;
  assert(users.length < 2000 && users.endsWith(", n99 and 339905 more"), users.slice(-50));

  const marked = open().show(said(`a${"\u0301".repeat(5000)}b`))!.text;
  assertEquals(marked, `12:34   boris: a${"\u0301".repeat(8)}b`);

  assertEquals(open().show(said("hi", { at: Number.MAX_SAFE_INTEGER }))?.text, "--:--   boris: hi");
});

Deno.test("ChatView.wait() tells a reason once, and a new one again", () => {
  const view = open();
  const wait = (attempt: number, reason: string) =>
    view.wait("[::1]:9", { attempt, delayMs: 1000, error: new Error(reason) })?.text;

  assertEquals(
    [wait(1, "refused"), wait(2, "refused"), wait(3, "no route")],
    [
      "no connection to [::1]:9: refused; trying again until the server answers",
      undefined,
      "no connection to [::1]:9: no route; trying again until the server answers",
    ],
  );
  assertEquals(
    view.wait("[::1]:9", { attempt: 1, delayMs: 1500, error: undefined, bye: "paused" })?.text,
    "connecting again in 1.5 s",
  );
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
