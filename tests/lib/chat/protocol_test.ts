import { assert, assertEquals } from "@std/assert";
import { parseClientMessage, parseServerMessage } from "../../../lib/chat/protocol.ts";

const parse = (message: unknown) => parseServerMessage(JSON.stringify(message));

function problemOf(message: unknown): string {
  const parsed = parseClientMessage(JSON.stringify(message));
  assert("problem" in parsed, JSON.stringify(parsed));
  return parsed.problem;
}

for (
  const message of [
    { type: "hello", version: 1 },
    { type: "hello", version: 1, token: "t", since: 0, history: 5 },
    { type: "register", name: "Anna", password: "secret" },
    { type: "login", name: "", password: "" },
    { type: "say", ref: "1", text: "hello" },
    { type: "say", ref: "👋".repeat(64), text: "hello" },
    { type: "tell", ref: "1", to: "Bob", text: "" },
    { type: "history" },
    { type: "history", before: Number.MAX_SAFE_INTEGER, limit: 0 },
    ...["logout", "who", "whoami", "ping"].map((type) => ({ type })),
  ]
) {
  Deno.test(`parseClientMessage() takes ${JSON.stringify(message)}`, () => {
    assertEquals(parseClientMessage(JSON.stringify(message)), { message } as object);
  });
}

Deno.test("parseClientMessage() takes over only the fields that belong to the message", () => {
  const parsed = parseClientMessage(
    '{"type":"ping","text":"x","__proto__":{"a":1},"constructor":2}',
  );

  assertEquals(parsed, { message: { type: "ping" } });
});

Deno.test("parseClientMessage() says which field must be what", () => {
  assertEquals(
    problemOf({ type: "say", ref: "1" }),
    "Send text as a string of at most 16384 whole characters",
  );
  assertEquals(
    problemOf({ type: "say", ref: "", text: "x" }),
    "Send ref as a string of 1 to 64 whole characters",
  );
  assertEquals(
    problemOf({ type: "say", ref: "👋".repeat(65), text: "x" }),
    problemOf({ type: "say", ref: "", text: "x" }),
  );
  assertEquals(problemOf({ type: "hello" }), "Send version as a whole number from 0 up");
  for (const since of [null, -1, 0.5, 2 ** 53, "1", true]) {
    const problem = problemOf({ type: "hello", version: 1, since });
    assertEquals(problem, "Send since as a whole number from 0 up");
  }
  assertEquals(problemOf([]), "Send one JSON object in a frame");
  assertEquals(problemOf(null), "Send one JSON object in a frame");
  assertEquals(
    problemOf({ type: "shout" }),
    "Send a type out of hello, register, login, say, tell, history, logout, who, whoami, ping",
  );
});

Deno.test("parseClientMessage() gives back the ref of a message it refuses, if that is one", () => {
  const refOf = (text: string) => {
    const parsed = parseClientMessage(text);
    return "ref" in parsed ? parsed.ref : undefined;
  };

  assertEquals(refOf('{"type":"say","ref":"7"}'), "7");
  assertEquals(refOf('{"type":"shout","ref":"7"}'), "7");
  assertEquals(refOf(`{"type":"shout","ref":"${"x".repeat(65)}"}`), undefined);
  assertEquals(refOf('{"type":"shout","ref":7}'), undefined);
  assertEquals(refOf('{"type":"shout","ref":"\\udc00"}'), undefined);
});

Deno.test("parseServerMessage() gives a message as it came", () => {
  const message = { type: "message", id: 1, at: 2, from: "a", text: "b", to: "c", replay: true };

  assertEquals(parse(message), message as never);
  const { to: _, ...toAll } = message;
  assertEquals(parse(toAll), toAll as never);
});

Deno.test("parseServerMessage() gives nothing for what it does not know, and where a field is missing or of another kind", () => {
  for (
    const message of [
      ...[null, 1, [], {}, { type: 1 }, { type: "weather" }, { type: "toString" }],
      { type: "hello", version: 1 },
      { type: "message", id: 1, at: 2, from: "a" },
      { type: "message", id: "1", at: 2, from: "a", text: "b" },
      { type: "message", id: 1, at: 2, from: "a", text: "b", to: 3 },
      { type: "said", ref: "r", id: -1 },
      { type: "users", names: ["a", 1] },
      { type: "bye", reason: "paused", retryAfterMs: "soon" },
    ]
  ) {
    assertEquals(parse(message), undefined, JSON.stringify(message));
  }
  assertEquals(parseServerMessage("{"), undefined);
});

const LONGEST = { name: 256, password: 1024, to: 256, ref: 64, text: 16_384 };

for (const [field, length] of Object.entries(LONGEST)) {
  Deno.test(`parseClientMessage() takes ${field} up to ${length} characters, and refuses it by its length alone`, () => {
    const type = ["name", "password"].includes(field) ? "login" : "tell";
    const whole = { type, name: "n", password: "p", to: "t", ref: "r", text: "x" };
    const ref = field === "ref" ? undefined : "r";

    const taken = parseClientMessage(JSON.stringify({ ...whole, [field]: "x".repeat(length) }));
    const long = JSON.stringify({ ...whole, [field]: "\u0301".repeat(length + 1) });
    const refused = parseClientMessage(long);

    assert("message" in taken);
    assert("problem" in refused && refused.problem.startsWith(`Send ${field} as a string of`));
    assertEquals(refused.ref, ref);
  });
}

Deno.test("parseServerMessage() refuses what is longer than any server sends", () => {
  const long = (length: number) => "x".repeat(length);
  for (
    const message of [
      { type: "hello", version: 1, server: long(65) },
      { type: "welcome", name: "a", token: long(257), expires: 1, last: 1 },
      { type: "message", id: 1, at: 2, from: long(257), text: "b" },
      { type: "message", id: 1, at: 2, from: "a", text: long(16_385) },
      { type: "said", ref: long(65), id: 1 },
      { type: "users", names: Array(10_001).fill("a") },
      { type: "users", names: [long(257)] },
      { type: "notice", text: long(16_385) },
      { type: "error", code: "throttled", message: long(1025) },
      { type: "bye", reason: long(65) },
    ]
  ) {
    assertEquals(parse(message), undefined, message.type);
  }
});
