import { assertEquals, assertThrows } from "@std/assert";
import { CHAT_FLAGS } from "../../../client/chat/chat_flags.ts";
import { FlagError, parseFlags } from "../../../client/shared/client_program.ts";

const parse = (line: string) => parseFlags(line.split(" "), CHAT_FLAGS);

Deno.test("CHAT_FLAGS take a name as it is registered, and a number of messages", () => {
  const { name, history } = parse("--name ａnna --history 0");

  assertEquals([name, history], ["anna", 0]);
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
    "--password x",
    "x",
    "--name",
  ]
) {
  Deno.test(`CHAT_FLAGS refuse ${line}`, () => {
    assertThrows(() => parse(line), FlagError);
  });
}
