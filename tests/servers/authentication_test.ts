import { assert, assertEquals } from "@std/assert";
import { ChatClient, PASSWORD } from "../../tools/shared/chat_client.ts";
import { startAuthentication } from "../support/chat_server.ts";
import { PROCESSES, testInFolder } from "../support/permissions.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

Deno.test("authenticationHandler() knows who is connected while they are", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  await anna.register("Anna");
  using bob = await auth.connect();
  await bob.register("Bob");
  assertEquals(auth.names(), ["Anna", "Bob"]);

  await anna.conn.closeWrite();
  assertEquals(await anna.rest(), []);

  assertEquals(auth.names(), ["Bob"]);
});

Deno.test("authenticationHandler() greets by name, and sends texts back", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  await anna.register("Anna");
  await anna.send({ type: "say", ref: "r", text: "hi" });

  const answers = [anna.received.at(-1), await anna.next(), await anna.next()];
  const refusal = await anna.ask({ type: "say", ref: "s", text: " " });

  assert(answers[0]?.type === "welcome");
  assertEquals(answers[0].text, "Hello, Anna! What you send comes back");
  assertEquals(answers.slice(1), [
    { type: "said", ref: "r", id: 1 },
    { type: "notice", text: "Anna: hi" },
  ]);
  assert(refusal?.type === "error" && refusal.ref === "s");
});

Deno.test("authenticationHandler() outlives a client that breaks off in the middle of everything", async () => {
  await using auth = startAuthentication();
  for (const text of ['{"type":"hello","version":1}', '{"type":"ping"}', "x"]) {
    const client = await auth.connect();
    await client.send(text);
    await client.conn.write(new Uint8Array([0, 0, 0, 9, 1]));
    client.conn.abort();
  }

  using anna = await auth.connect();
  await anna.register("Anna");

  assertEquals(await anna.ask({ type: "ping" }), { type: "pong" });
});

testInFolder("auth keeps accounts and tokens, in files of its owner only", async (data) => {
  let token = "";
  for (let life = 1; life <= 2; life++) {
    await using server = await ServerProcess.start("auth", [], { data });
    using anna = await ChatClient.connect(server.port);
    if (life === 1) token = await anna.register("Anna");
    else assertEquals((await anna.resume(token)).name, "Anna");
    if (Deno.build.os !== "windows") {
      for (const file of ["auth.db", "auth.db-wal"]) {
        assertEquals(Deno.statSync(`${data}/${file}`).mode! & 0o777, 0o600);
      }
    }
    const ending = server.stop();
    assertEquals(await anna.rest(), [{ type: "bye", reason: "shutdown", retryAfterMs: 1000 }]);
    anna.conn.close();
    await ending;
  }
  assert(!Deno.readTextFileSync(`${data}/logs/auth.log`).includes(PASSWORD));
}, PROCESSES);
