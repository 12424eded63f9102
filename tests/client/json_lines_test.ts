import { assertEquals } from "@std/assert";
import { botLine, parseBotLine } from "../../client/json_lines.ts";

const parse = (line: string) => parseBotLine(line, () => "new");

Deno.test("parseBotLine() reads messages, and adds a ref where none is", () => {
  assertEquals(parse('{"type":"say","text":"hi"}'), { type: "say", ref: "new", text: "hi" });
  assertEquals(parse('{"type":"say","text":"hi","ref":"a"}'), {
    type: "say",
    ref: "a",
    text: "hi",
  });
  assertEquals(parse('{"type":"who"}'), { type: "who" });
});

Deno.test("parseBotLine() tells what is wrong", () => {
  assertEquals(parse("hi"), "Send one JSON object in a frame");
  assertEquals(parse('{"type":"say"}'), "Send text as a string");
  assertEquals(
    parse('{"type":"say","text":"hi","ref":1}'),
    "Send ref as a string of 1 to 64 characters",
  );
  assertEquals(
    parse('{"type":"login","name":"a","password":"b"}'),
    "Leave login out: the client logs in itself",
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
