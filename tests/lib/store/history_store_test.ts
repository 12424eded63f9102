import { assert, assertEquals, assertThrows } from "@std/assert";
import { openDatabase } from "../../../lib/store/database.ts";
import { HistoryStore } from "../../../lib/store/history_store.ts";
import { CHAT_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { testInFolder } from "../../support/permissions.ts";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { ANNA, BOB, EVE, openHistory, say } from "./open_history.ts";

Deno.test("HistoryStore.append() numbers messages from 1 without gaps", () => {
  using store = openHistory();
  const { history } = store;
  assertEquals(history.lastId, 0);

  const first = history.append([say(ANNA, "a"), say(BOB, "b", { receiver: ANNA })]);
  const second = history.append([say(ANNA, "c")]);

  assertEquals([...first, ...second], [1, 2, 3].map((id) => ({ id, repeated: false })));
  assertEquals(history.append([]), []);
  assertEquals(history.lastId, 3);
});

Deno.test("HistoryStore.append() answers a repeated ref with the first id and stores nothing", () => {
  using store = openHistory();
  const { history, database } = store;
  history.append([say(ANNA, "first", { ref: "1" })]);

  const again = history.append([
    say(ANNA, "other text", { ref: "1", receiver: BOB }),
    say(BOB, "his own", { ref: "1" }),
    say(ANNA, "new", { ref: "2" }),
    say(ANNA, "new", { ref: "2" }),
    say(ANNA, "last", { ref: "3" }),
  ]);

  assertEquals(again.map(({ id }) => id), [1, 2, 3, 3, 4]);
  assertEquals(again.map(({ repeated }) => repeated), [true, false, false, true, false]);
  assertEquals(store.texts(ANNA), ["first", "his own", "new", "last"]);
  assertEquals(history.lastId, 4);
  const alike = ["a\0b", "a\0c", "a"].map((ref) => say(ANNA, "x", { ref }));
  assertEquals(history.append(alike).map(({ id }) => id), [5, 6, 7]);
  database.prepare("DELETE FROM messages").run();
  assertEquals(history.append([say(ANNA, "c")]), [{ id: 8, repeated: false }], "no id is reused");
});

Deno.test("HistoryStore.append() stores all of a batch or nothing, and uses no id up", () => {
  using store = openHistory();
  const { history } = store;
  history.append([say(ANNA, "a")]);

  const broken = [say(ANNA, "lost"), say(ANNA, "lost", { at: 0.5 })];
  assertThrows(() => history.append(broken), StorageError);

  assertEquals(history.lastId, 1);
  assertEquals(history.append([say(ANNA, "b")]), [{ id: 2, repeated: false }]);
  assertEquals(store.texts(ANNA), ["a", "b"]);
});

Deno.test("HistoryStore.append() fails clearly on a full disk, and goes on when there is room", () => {
  using store = openHistory();
  const { history, database } = store;
  history.append([say(ANNA, "a")]);
  const big = say(ANNA, "x".repeat(100_000));
  database.prepare("PRAGMA max_page_count = 1").get();

  assertThrows(() => history.append([say(BOB, "lost"), big]), StorageError, "the disk is full");

  database.prepare("PRAGMA max_page_count = 1000").get();
  assertEquals(history.append([big]), [{ id: 2, repeated: false }]);
});

Deno.test("HistoryStore.since() gives a message back as it was stored", () => {
  using store = openHistory();
  const text = "\ufefftabs\t, zero\0, line\n, 👩‍👩‍👧 and ' \" ; -- DROP";

  store.history.append([
    say({ id: 1, name: "Änna" }, text, { at: 7, receiver: { id: 3, name: "__proto__" } }),
    say(BOB, "", { at: 8 }),
  ]);

  assertEquals(store.history.since(0, 1, 2), [
    { id: 1, at: 7, from: "Änna", to: "__proto__", text },
    { id: 2, at: 8, from: "Bob", text: "" },
  ]);
});

testInFolder("HistoryStore goes on where it was after a restart", (folder) => {
  {
    using store = openHistory(`${folder}/chat.db`);
    store.history.append([say(ANNA, "a", { ref: "1" }), say(ANNA, "b")]);
  }

  using store = openHistory(`${folder}/chat.db`);
  const again = store.history.append([say(ANNA, "c", { ref: "1" }), say(ANNA, "d")]);

  assertEquals(again, [{ id: 1, repeated: true }, { id: 3, repeated: false }]);
  store.database.close();
});

Deno.test("HistoryStore.append() keeps the last messages only, with their ids", () => {
  using store = openHistory(":memory:", { keep: 3 });
  const { history, texts } = store;
  for (let i = 1; i <= 5; i++) history.append([say(ANNA, `${i}`, { ref: `${i}` })]);

  assertEquals(texts(BOB), ["3", "4", "5"]);
  assertEquals(history.since(1, BOB.id, 9).map(({ id }) => id), [3, 4, 5]);
  assertEquals([history.firstOf(9, 9, BOB.id), history.firstOf(9, 3, BOB.id)], [3, 3]);
  assertEquals(history.append([say(ANNA, "6", { ref: "5" }), say(ANNA, "6", { ref: "1" })]), [
    { id: 5, repeated: true },
    { id: 6, repeated: false },
  ]);
});

testInFolder(
  "HistoryStore deletes a bounded number at once when less is kept than before",
  (folder) => {
    const path = `${folder}/chat.db`;
    {
      using store = openHistory(path);
      store.history.append(Array.from({ length: 3000 }, (_, i) => say(ANNA, `${i}`)));
    }
    {
      using store = openHistory(path, { keep: 10 });
      const oldest = () => store.history.since(0, BOB.id, 1)[0]!.id;

      const left = Array.from({ length: 4 }, () => {
        store.history.append([say(ANNA, "more")]);
        return oldest();
      });

      assertEquals(left.map((id, i) => id - (i ? left[i - 1]! : 0) < 1100), [
        true,
        true,
        true,
        true,
      ]);
      assertEquals(store.history.lastId - left.at(-1)!, 9);
    }
  },
);

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
  assertEquals(texts({ id: 9, name: "Zoe" }), ["to all", "to all too"]);
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
