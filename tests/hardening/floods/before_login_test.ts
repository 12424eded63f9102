import { assertEquals } from "@std/assert";
import { ChatClient } from "../../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";

const FULL = { type: "bye", reason: "full", retryAfterMs: 5000 } as const;

for (const name of ["auth", "chat"]) {
  testWith(PROCESSES, `${name} gives strangers half of an address's connections`, async () => {
    await using server = await ServerProcess.start(name, ["--max-per-address=6"]);
    using stack = new DisposableStack();
    const connect = async () => stack.use(await ChatClient.connect(server.port));
    const greet = async () => (await (await connect()).ask({ type: "hello", version: 1 }))?.type;

    const strangers = [await greet(), await greet()];
    const anna = await connect();
    await anna.register("Anna");
    strangers.push(await greet());
    const refused = await connect();
    const refusal = await refused.rest();
    // Who has logged in is no stranger any more, and needs no other place.
    const whoami = await anna.ask({ type: "whoami" });

    assertEquals(strangers, ["hello", "hello", "hello"]);
    assertEquals(refusal, [FULL]);
    assertEquals(whoami, { type: "you", name: "Anna" });
  });
}
