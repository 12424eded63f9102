import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import type { ErrorCode } from "../../../lib/chat/protocol.ts";
import type { ChatClient } from "../../../tools/shared/chat_client.ts";
import { startAuthentication } from "../../support/chat_server.ts";

async function codeOf(client: ChatClient, message: string): Promise<ErrorCode> {
  const answer = await client.ask(message);
  assert(answer?.type === "error", JSON.stringify(answer));
  return answer.code;
}

const NONSENSE: Record<string, string> = {
  "nothing": "",
  "no JSON": "hello",
  "half of JSON": '{"type":"login"',
  "an array": "[]",
  "null": "null",
  "a number": "1e999",
  "deep nesting": "[".repeat(4000),
  "no type": "{}",
  "a type that is not a text": '{"type":{}}',
  "a type of objects": '{"type":"__proto__"}',
  "another type of objects": '{"type":"constructor"}',
  "an unknown type": '{"type":"shout","text":"x"}',
  "a missing field": '{"type":"login","name":"Anna"}',
  "a field of a wrong type": '{"type":"login","name":"Anna","password":["x"]}',
  "an inherited field": '{"type":"login","__proto__":{"name":"Anna","password":"x"}}',
  "a lone surrogate": '{"type":"login","name":"\\ud800","password":"x"}',
  "a fraction": '{"type":"hello","version":1.5}',
  "a negative number": '{"type":"hello","version":1,"since":-1}',
  "a huge number": '{"type":"hello","version":1,"since":1e300}',
  "a number as text": '{"type":"hello","version":"1"}',
};

Deno.test("Member refuses nonsense before and after the login, and the connection lives on", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();

  for (const when of ["before", "after"]) {
    for (const [what, text] of Object.entries(NONSENSE)) {
      assertEquals(await codeOf(client, text), "bad_message", `${what}, ${when} the login`);
    }
    if (when === "before") await client.register("Anna");
  }

  assertEquals(await client.ask({ type: "ping" }), { type: "pong" });
});

Deno.test("Member refuses what is not UTF-8, and the connection lives on", async () => {
  await using auth = startAuthentication();
  using client = await auth.connect();
  const bytes = encodeFrame('{"type":"ping"} ').fill(0xff, 19);

  await client.conn.write(bytes);
  const before = await client.next();
  await client.register("Anna");
  await client.conn.write(bytes);
  const after = await client.next();

  for (const answer of [before, after]) {
    assert(answer?.type === "error" && answer.code === "bad_message");
    assertEquals(
      answer.message,
      "Cannot receive a text: the body of 16 bytes is not UTF-8. Send text in UTF-8",
    );
  }
  assertEquals(await client.ask({ type: "whoami" }), { type: "you", name: "Anna" });
});
