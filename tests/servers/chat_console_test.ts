import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

testWith(
  PROCESSES,
  "chat's console says to all, shows who is here, and kicks by name",
  async () => {
    await using server = await ServerProcess.start("chat");
    using anna = await ChatClient.connect(server.port);
    await anna.register("Anna");
    using bob = await ChatClient.connect(server.port);
    await bob.register("Bob");
    // One who comes and goes within a second is not announced.
    await anna.until("joined");

    assertEquals(await server.command("say Lunch is ready"), "Said to 2 connections");
    assertMatch(await server.command("who", 2), /^1 +Anna .*\n2 +Bob /);
    assertEquals(await server.command("kick Bob"), "Ended 1 connection");

    assertEquals((await anna.until("notice")).text, "Lunch is ready");
    assertEquals((await bob.rest()).at(-1), { type: "bye", reason: "kicked" });
    bob.conn.close();
    assertEquals((await anna.until("left")).name, "Bob");
    assertMatch(await server.command("who"), /^1 +Anna /);
  },
);

for (const end of ["pause", "stop"]) {
  testWith(PROCESSES, `chat's console tells nobody at a ${end} that the others left`, async () => {
    await using server = await ServerProcess.start("chat");
    using resources = new DisposableStack();
    const clients: ChatClient[] = [];
    for (const name of ["Anna", "Bob", "Carla"]) {
      const client = resources.use(await ChatClient.connect(server.port));
      await client.register(name);
      await client.all();
      clients.push(client);
    }

    const answer = server.command(end);
    const heard = await Promise.all(clients.map(async (client) => {
      const rest = await client.rest();
      client.conn.close();
      return rest.map(({ type }) => type).filter((type) => type !== "joined");
    }));
    await answer;

    assertEquals(heard, [["bye"], ["bye"], ["bye"]]);
  });
}

testWith(PROCESSES, "chat's console tells after a pause who joined and who left", async () => {
  await using server = await ServerProcess.start("chat");
  using before = await ChatClient.connect(server.port);
  const token = await before.register("Anna");
  const paused = server.command("pause");
  await before.rest();
  before.conn.close();
  await paused;
  await server.command("resume");

  using anna = await ChatClient.connect(server.port);
  await anna.resume(token);
  await anna.all();
  using bob = await ChatClient.connect(server.port);
  await bob.register("Bob");

  assertEquals((await anna.until("joined")).name, "Bob");
  bob.conn.close();
  assertEquals((await anna.until("left")).name, "Bob");
});

testWith(PROCESSES, "chat's console forgets all users, who then register again", async () => {
  await using server = await ServerProcess.start("chat");
  using anna = await ChatClient.connect(server.port);
  await anna.register("Anna");
  await anna.tell("Anna", "a note to myself");

  assertEquals(await server.command("clear-users"), "Forgot 1 user");

  const refusal = await anna.ask({ type: "who" });
  assert(refusal?.type === "error" && refusal.code === "unauthorized");
  await anna.register("Anna", { since: 0 });
  assertEquals(await anna.all(), []);
});
