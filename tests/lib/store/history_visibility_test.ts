import { assert, assertEquals } from "@std/assert";
import { openDatabase } from "../../../lib/store/database.ts";
import { HistoryStore, type Person } from "../../../lib/store/history_store.ts";
import { CHAT_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { ANNA, BOB, EVE, openHistory, say } from "./open_history.ts";

const ZOE: Person = { id: 9, name: "Zoe" };

Deno.test("HistoryStore.since() shows a private message to its two accounts only", () => {
  using store = openHistory();
  const { history, texts } = store;

  history.append([
    say(ANNA, "to all"),
    say(ANNA, "to Bob", { receiver: BOB }),
    say(BOB, "to Anna", { receiver: ANNA }),
    say(EVE, "to herself", { receiver: EVE }),
    say(BOB, "to all too"),
  ]);

  assertEquals(texts(ANNA), ["to all", "to Bob", "to Anna", "to all too"]);
  assertEquals(texts(BOB), ["to all", "to Bob", "to Anna", "to all too"]);
  assertEquals(texts(EVE), ["to all", "to herself", "to all too"]);
  assertEquals(texts(ZOE), ["to all", "to all too"]);
  assertEquals(texts({ id: 7, name: "Anna" }), ["to all", "to all too"]);
});

Deno.test("HistoryStore pages forward, and finds the first of the last messages", () => {
  using store = openHistory();
  const { history } = store;
  history.append(Array.from({ length: 10 }, (_, index) => say(ANNA, `${index + 1}`)));
  history.append([say(ANNA, "private", { receiver: EVE })]);
  const since = (id: number) => history.since(id, BOB.id, 3).map(({ id }) => id);
  const firstOf = (count: number, before: number) => history.firstOf(count, before, BOB.id);

  assertEquals([since(0), since(8), since(10)], [[1, 2, 3], [9, 10], []]);
  assertEquals([firstOf(3, 5), firstOf(3, 2), firstOf(3, 1)], [2, 1, 1]);
  assertEquals([firstOf(3, 12), firstOf(0, 12)], [8, 12]);
});

Deno.test("HistoryStore answers every query from an index, without scanning or sorting", () => {
  using database = openDatabase(":memory:", { migrations: CHAT_MIGRATIONS });
  const plans: string[][] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    if (!/^SELECT/.test(sql) || sql.includes("sqlite_sequence")) return prepare(sql);
    plans.push(
      prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => String(detail)),
    );
    return prepare(sql);
  };

  new HistoryStore(database);

  assertEquals(plans.length, 4);
  for (const detail of plans.flat()) assert(!/SCAN|TEMP B-TREE/.test(detail), detail);
  const searches = plans[1]!.filter((detail) => detail.startsWith("SEARCH"));
  assertEquals(searches.length, 3);
  for (const detail of searches) assert(/\w+_id=\? AND rowid>\?/.test(detail), detail);
});
