import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../chat_client.ts";
import { PROCESSES, testWith } from "../permissions.ts";
import { ServerProcess } from "./server_process.ts";

testWith(
  PROCESSES,
  "chat's console says to all, shows who is here, and kicks by name",
  async () => {
    await using server = await ServerProcess.start("chat");
    using anna = await ChatClient.connect(server.port);
    await anna.register("Anna");
    using bob = await ChatClient.connect(server.port);
    await bob.register("Bob");
    await Promise.all([anna.all(), bob.all()]);

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

testWith(
  PROCESSES,
  "A second chat on the same data warns that it is not the same chat",
  async () => {
    await using first = await ServerProcess.start("chat");
    await using second = await ServerProcess.start("chat", [], { data: first.data });

    const [{ err }, { err: nothing }] = [await second.stop(), await first.stop()];

    assertMatch(err, /^Warning: another server uses .*chat\.db too/);
    assertEquals(nothing, "");
  },
);
