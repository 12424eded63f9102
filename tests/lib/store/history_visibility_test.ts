import { assert, assertEquals } from "@std/assert";
import { openDatabase } from "../../../lib/store/database.ts";
import { HistoryStore, MESSAGES_SCHEMA } from "../../../lib/store/history_store.ts";
import { FILES, testWith } from "../../support/permissions.ts";
import { openHistory, say } from "./open_history.ts";

Deno.test("HistoryStore.since() shows a private message to its two people only", () => {
  using store = openHistory();
  const { history, texts } = store;

  history.append([
    say("Anna", "to all"),
    say("Anna", "to Bob", { to: "Bob" }),
    say("Bob", "to Anna", { to: "ANNA" }),
    say("Eve", "to herself", { to: "Eve" }),
    say("Bob", "to all too"),
  ]);

  assertEquals(texts("anna"), ["to all", "to Bob", "to Anna", "to all too"]);
  assertEquals(texts("BOB"), ["to all", "to Bob", "to Anna", "to all too"]);
  assertEquals(texts("Eve"), ["to all", "to herself", "to all too"]);
  assertEquals(texts("Zoe"), ["to all", "to all too"]);
  assertEquals(history.latest("Zoe", 9), history.since(0, "Zoe", 9));
  assertEquals(history.before(5, "Eve", 9).map(({ id }) => id), [1, 4]);
});

Deno.test("HistoryStore pages forward, backward and from the end, oldest first", () => {
  using store = openHistory();
  const { history } = store;
  history.append(Array.from({ length: 10 }, (_, index) => say("Anna", `${index + 1}`)));
  const ids = (messages: { id: number }[]) => messages.map(({ id }) => id);

  assertEquals(ids(history.since(0, "Bob", 3)), [1, 2, 3]);
  assertEquals(ids(history.since(8, "Bob", 3)), [9, 10]);
  assertEquals(ids(history.since(10, "Bob", 3)), []);
  assertEquals(ids(history.before(5, "Bob", 3)), [2, 3, 4]);
  assertEquals(ids(history.before(2, "Bob", 3)), [1]);
  assertEquals(ids(history.latest("Bob", 3)), [8, 9, 10]);
  assertEquals(ids(history.latest("Bob", 0)), []);
  history.append(Array.from({ length: 200 }, (_, index) => say("Anna", `more ${index}`)));
  assertEquals(ids(history.latest("Bob", 1)), [210]);
});

Deno.test("HistoryStore.disown() hides old private messages from who takes a name next", () => {
  using store = openHistory();
  const { history, texts } = store;
  history.append([say("Anna", "public", { ref: "1" }), say("Anna", "secret", { to: "Bob" })]);

  history.disown();

  assertEquals([texts("Anna"), texts("Bob")], [["public"], ["public"]]);
  assertEquals(history.append([say("Anna", "new", { ref: "1" })]), [{ id: 3, repeated: false }]);
  assertEquals(new HistoryStore(store.database).since(0, "Bob", 9).length, 2);
});

testWith(FILES, "HistoryStore.disown() counts for another program with the same file", () => {
  const folder = Deno.makeTempDirSync();
  using here = openHistory(`${folder}/chat.db`);
  using there = openHistory(`${folder}/chat.db`);
  here.history.append([say("Anna", "secret", { to: "Bob", ref: "1" })]);

  here.history.disown();

  assertEquals([there.texts("Anna"), there.texts("Bob")], [[], []]);
  const again = say("Anna", "again", { ref: "1" });
  assertEquals(there.history.append([again]), [{ id: 2, repeated: false }]);
  for (const store of [here, there]) store.database.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("HistoryStore answers every question from an index, without scanning or sorting", () => {
  using database = openDatabase(":memory:", { migrations: [MESSAGES_SCHEMA] });
  const plans: string[][] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    if (!/^(SELECT|UPDATE)/.test(sql) || sql.includes("message_era")) return prepare(sql);
    plans.push(prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => String(detail)));
    return prepare(sql);
  };

  new HistoryStore(database);

  assertEquals(plans.length, 4);
  for (const detail of plans.flat()) assert(!/SCAN|TEMP B-TREE/.test(detail), detail);
  const searches = plans[1]!.filter((detail) => detail.startsWith("SEARCH"));
  assertEquals(searches.length, 3);
  for (const detail of searches) assert(/\w+_key=\? AND rowid>\?/.test(detail), detail);
});
