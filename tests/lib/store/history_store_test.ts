import { assertEquals, assertThrows } from "@std/assert";
import { testInFolder } from "../../support/permissions.ts";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { ANNA, BOB, openHistory, say } from "./open_history.ts";

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
