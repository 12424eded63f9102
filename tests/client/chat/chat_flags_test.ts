import { assertEquals, assertThrows } from "@std/assert";
import { parseChatFlags } from "../../../client/chat/chat_flags.ts";
import { FlagError } from "../../../client/shared/flags.ts";

const NOTHING = { register: false, tls: false, json: false, help: false };

Deno.test("parseChatFlags() keeps logins in data unless told otherwise", () => {
  assertEquals(parseChatFlags([]), { ...NOTHING, session: "data/logins.json" });
  assertEquals(parseChatFlags(["--session", "a", "--session", "b"]).session, "b");
  assertEquals(parseChatFlags(["--no-session"]), NOTHING);
});

Deno.test("parseChatFlags() passes over the -- between a task and its flags", () => {
  assertEquals(parseChatFlags(["--", "--name", "anna"]).name, "anna");
});

Deno.test("parseChatFlags() reads every flag", () => {
  const line = "--host LOCALHOST --port 1 --name ａnna --register --tls --ca c --json --history 0" +
    " --password-file p --no-session -h";

  assertEquals(parseChatFlags(line.split(" ")), {
    host: "localhost",
    port: 1,
    name: "anna",
    register: true,
    tls: true,
    ca: "c",
    json: true,
    history: 0,
    passwordFile: "p",
    help: true,
  });
});

for (
  const line of [
    "--port 0",
    "--history=-1",
    "--history -1",
    "--history 1.5",
    "--history many",
    "--history 1000000",
    "--name a.b",
    "--ca c",
    "--password x",
    "x",
    "--name",
  ]
) {
  Deno.test(`parseChatFlags() refuses ${line}`, () => {
    assertThrows(() => parseChatFlags(line.split(" ")), FlagError);
  });
}
