import { assertEquals } from "@std/assert";
import { ChatClient } from "../../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";

const FULL = { type: "bye", reason: "full", retryAfterMs: 5000 } as const;

for (const name of ["auth", "chat"]) {
  testWith(
    PROCESSES,
    `${name} gives clients before login half of an address's connections`,
    async () => {
      await using server = await ServerProcess.start(name, ["--max-per-address=6"]);
      using stack = new DisposableStack();
      const connect = async () => stack.use(await ChatClient.connect(server.port));
      const greet = async () => (await (await connect()).ask({ type: "hello", version: 1 }))?.type;

      const greetings = [await greet(), await greet()];
      const anna = await connect();
      await anna.register("Anna");
      greetings.push(await greet());
      const refused = await connect();
      const refusal = await refused.rest();
      // A client that has logged in does not count as one before login.
      const whoami = await anna.ask({ type: "whoami" });

      assertEquals(greetings, ["hello", "hello", "hello"]);
      assertEquals(refusal, [FULL]);
      assertEquals(whoami, { type: "you", name: "Anna" });
    },
  );
}
