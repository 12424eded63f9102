import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { openDatabase } from "../../../lib/store/database.ts";
import { HistoryStore } from "../../../lib/store/history_store.ts";
import type { ServerMessage } from "../../../lib/chat/protocol.ts";
import { CHAT_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { ChatClient, idsIn, PASSWORD } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";
import { testOnDisks } from "../../support/full_disk.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";

const FAST = ["--burst", "1000000", "--rate", "1000000"];

/** Says so many things at once, and gives all answers and what else came, up to the last of them. */
async function sayMany(client: ChatClient, name: string, count: number): Promise<ServerMessage[]> {
  for (let i = 0; i < count; i++) {
    client.send({ type: "say", ref: `${name} ${i}`, text: `${name} ${i}` });
  }
  return await client.all();
}

/** Says one thing after the other until the disk takes no more; what was said until then is given. */
async function sayUntilFull(client: ChatClient): Promise<ServerMessage[]> {
  const answers: ServerMessage[] = [];
  for (let i = 0; i < 1000; i++) {
    answers.push(...await sayMany(client, `fill ${i}`, 1));
    if (refusalsIn(answers).length > 0) return answers;
  }
  throw new Error("The disk never filled");
}

function refusalsIn(messages: ServerMessage[]): string[] {
  return messages.filter((message) => message.type === "error")
    .map(({ code, retryAfterMs }) => `${code} ${retryAfterMs}`);
}

function saidIn(messages: ServerMessage[]): { id: number; ref: string }[] {
  return messages.filter((message) => message.type === "said").map(({ id, ref }) => ({ id, ref }));
}

/** Tries to get in, and gives the refusal. */
async function refusedEntry(port: number, message: object): Promise<string[]> {
  using client = await ChatClient.connect(port);
  await client.send({ type: "hello", version: 1 });
  await client.next();
  await client.ask(message);
  // The connection lives on.
  return refusalsIn([client.received.at(-1)!, (await client.ask(message))!]);
}

/** What `status` tells, whole. */
async function statusOf(server: ServerProcess): Promise<string> {
  await server.type("status\nresume\n");
  const lines: string[] = [];
  for (let line = await server.line(); line && line !== "Not paused"; line = await server.line()) {
    lines.push(line);
  }
  return lines.join("\n");
}

Deno.test("chatHandler() says nothing that a full database did not take, and goes on when there is room", async () => {
  await using chat = startChat();
  using anna = await chat.enter("anna");
  using boris = await chat.enter("boris");
  const pages = (limit: number) => chat.database.prepare(`PRAGMA max_page_count = ${limit}`).get();

  const before = await sayMany(anna, "before", 10);
  pages(1);
  const filling = await sayUntilFull(anna);
  const full = await sayMany(anna, "full", 100);
  pages(1e6);
  const after = await sayMany(anna, "after", 100);

  const said = saidIn([...before, ...filling, ...full, ...after]);
  assertEquals(new Set(refusalsIn(full)), new Set(["unavailable 1000"]));
  assertEquals(refusalsIn(full).length + saidIn(full).length, 100);
  assertEquals(saidIn(after).length, 100);
  const stored = chat.history.since(0, 1, 1e6);
  assertEquals(stored.map(({ id, text }) => ({ id, ref: text })), said);
  assertEquals(idsIn(await boris.all()), said.map(({ id }) => id));
  assertEquals(chat.database.prepare("PRAGMA integrity_check").get(), { integrity_check: "ok" });
});

testOnDisks("chat", FAST, "loses, doubles and invents nothing", async ({ server, fill, free }) => {
  const { port } = server;
  using anna = await ChatClient.connect(port);
  using boris = await ChatClient.connect(port);
  await anna.register("Anna");
  await boris.register("Boris");
  const before = await sayMany(anna, "before", 50);

  await fill();
  const filling = await sayUntilFull(anna);
  const full: ServerMessage[] = [];
  for (let round = 0; round < 50; round++) full.push(...await sayMany(anna, `full ${round}`, 20));
  const carl = { type: "register", name: "Carl", password: PASSWORD };
  const refused = [
    ...await refusedEntry(port, carl),
    ...await refusedEntry(port, { type: "login", name: "Boris", password: PASSWORD }),
  ];
  assertMatch(
    await statusOf(server),
    /\nstorage +failing since \S+Z: Cannot write to the database .*chat\.db: the disk [^\n]+$/,
  );
  await free();
  const after = await sayMany(anna, "after", 50);
  assertMatch(await statusOf(server), / MiB$/);
  using late = await ChatClient.connect(port);
  await late.register("Carl", { since: 0 });
  const replayed = idsIn(await late.all());
  const told = idsIn(await boris.all());
  for (const client of [anna, boris, late]) client.conn.close();
  const { code, err } = await server.stop();

  const said = saidIn([...before, ...filling, ...full, ...after]);
  const ids = said.map(({ id }) => id);
  assertEquals([code, err], [0, ""]);
  assertEquals(new Set([...refusalsIn(full), ...refused]), new Set(["unavailable 1000"]));
  assertEquals(refusalsIn(full).length + saidIn(full).length, 1000);
  assertGreater(refusalsIn(full).length, 900);
  assertEquals([saidIn(before).length, saidIn(after).length], [50, 50]);
  assertEquals(ids, Array.from(ids, (_, i) => i + 1));
  assertEquals([told, replayed], [ids, ids]);
  using database = openDatabase(`${server.data}/chat.db`, { migrations: CHAT_MIGRATIONS });
  assertEquals(database.prepare("PRAGMA integrity_check").get(), { integrity_check: "ok" });
  const stored = new HistoryStore(database).since(0, 1, 1e6);
  assertEquals(stored.map(({ id, text }) => ({ id, ref: text })), said);
  const log = await server.log();
  assertMatch(log, / WARN chat lines lost=\d+\n/);
  assertMatch(log, / INFO chat stopped\n$/);
});

testWith(
  PROCESSES,
  "chat whose database is taken away tells the log once, not for each message",
  async () => {
    await using server = await ServerProcess.start("chat", FAST);
    using anna = await ChatClient.connect(server.port);
    await anna.register("Anna");
    const path = `${server.data}/chat.db`;

    await Deno.rename(path, `${path}.away`);
    const away: ServerMessage[] = [];
    for (let round = 0; round < 50; round++) away.push(...await sayMany(anna, `away ${round}`, 2));
    await Deno.rename(`${path}.away`, path);
    const back = await sayMany(anna, "back", 10);
    anna.conn.close();
    await server.stop();

    assertEquals(refusalsIn(away), Array(100).fill("unavailable 1000"));
    assertEquals(saidIn(back).map(({ id }) => id), Array.from({ length: 10 }, (_, i) => i + 1));
    const lines = (await server.log()).split("\n").filter((line) =>
      line.includes("storage failed")
    );
    assertEquals(lines.length, 1);
    assertMatch(lines[0]!, /it was deleted or replaced while open/);
  },
);

testOnDisks("identify", [], "promises no name that it cannot keep", async (disk) => {
  const { server, fill, free } = disk;
  using anna = await server.connect();
  await anna.receive();

  await fill();
  const refused = [await anna.request("Anna"), await anna.request("Anna")];
  const files = Array.from(Deno.readDirSync(server.data), ({ name }) => name);
  const failing = await statusOf(server);
  await free();
  const taken = await anna.request("Anna");
  const working = await statusOf(server);

  for (const answer of refused) assertMatch(answer!, /^Your name could not be stored, please try/);
  assertEquals(files.filter((name) => /identities\.json$|tmp/.test(name)), []);
  assertEquals(taken, "Nice to meet you, Anna!");
  assertMatch(failing, /\nstorage +failing since \S+Z: Cannot write identity file [^\n]+$/);
  assertMatch(working, / MiB$/);
  using again = await server.connect();
  assertEquals(await again.receive(), "Hello, Anna!");
});

testOnDisks("auth", [], "lets nobody in whom it would forget", async ({ server, fill, free }) => {
  const { port } = server;
  const register = { type: "register", name: "Anna", password: PASSWORD };

  await fill();
  const refused = await refusedEntry(port, register);
  const failing = await statusOf(server);
  await free();
  using anna = await ChatClient.connect(port);
  const token = await anna.register("Anna");
  const working = await statusOf(server);
  using again = await ChatClient.connect(port);

  assertEquals(refused, ["unavailable 1000", "unavailable 1000"]);
  assertMatch(failing, /\nstorage +failing since \S+Z: Cannot write to the database [^\n]+$/);
  assertMatch(working, / MiB$/);
  assertEquals((await again.resume(token)).name, "Anna");
});
