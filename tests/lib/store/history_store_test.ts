import { assertEquals, assertThrows } from "@std/assert";
import { FILES, testWith } from "../../support/permissions.ts";
import { openHistory, say } from "./open_history.ts";

Deno.test("HistoryStore.append() numbers messages from 1 without gaps", () => {
  using store = openHistory();
  const { history } = store;
  assertEquals(history.lastId(), 0);

  const first = history.append([say("Anna", "a"), say("Bob", "b", { to: "Anna" })]);
  const second = history.append([say("Anna", "c")]);

  assertEquals([...first, ...second], [1, 2, 3].map((id) => ({ id, repeated: false })));
  assertEquals(history.append([]), []);
  assertEquals(history.lastId(), 3);
});

Deno.test("HistoryStore.append() answers a repeated ref with the first id and stores nothing", () => {
  using store = openHistory();
  const { history } = store;
  history.append([say("Anna", "first", { ref: "1" })]);

  const again = history.append([
    say("ANNA", "other text", { ref: "1", to: "Bob" }),
    say("Bob", "his own", { ref: "1" }),
    say("Anna", "new", { ref: "2" }),
    say("Anna", "new", { ref: "2" }),
    say("Anna", "last", { ref: "3" }),
  ]);

  assertEquals(again.map(({ id }) => id), [1, 2, 3, 3, 4]);
  assertEquals(again.map(({ repeated }) => repeated), [true, false, false, true, false]);
  assertEquals(store.texts("Anna"), ["first", "his own", "new", "last"]);
  assertEquals(history.lastId(), 4);
});

Deno.test("HistoryStore.append() stores all of a batch or nothing, and uses no id up", () => {
  using store = openHistory();
  const { history } = store;
  history.append([say("Anna", "a")]);

  const broken = [say("Anna", "lost"), say("Anna", "lost", { at: 0.5 })];
  assertThrows(() => history.append(broken));
  assertThrows(() => history.append([say("Anna", "lost"), say("no name", "x")]), TypeError);

  assertEquals(history.lastId(), 1);
  assertEquals(history.append([say("Anna", "b")]), [{ id: 2, repeated: false }]);
  assertEquals(store.texts("Anna"), ["a", "b"]);
});

Deno.test("HistoryStore.append() fails clearly on a full disk, and goes on when there is room", () => {
  using store = openHistory();
  const { history, database } = store;
  history.append([say("Anna", "a")]);
  const big = say("Anna", "x".repeat(100_000));
  database.prepare("PRAGMA max_page_count = 1").get();

  assertThrows(() => history.append([say("Bob", "lost"), big]), Error, "the disk is full");

  database.prepare("PRAGMA max_page_count = 1000").get();
  assertEquals(history.append([big]), [{ id: 2, repeated: false }]);
});

Deno.test("HistoryStore.since() gives a message back as it was stored", () => {
  using store = openHistory();
  const text = "\ufefftabs\t, zero\0, line\n, 👩‍👩‍👧 and ' \" ; -- DROP";

  store.history.append([say("Änna", text, { at: 7, to: "__proto__" }), say("Bob", "", { at: 8 })]);

  assertEquals(store.history.since(0, "änna", 2), [
    { id: 1, at: 7, from: "Änna", to: "__proto__", text },
    { id: 2, at: 8, from: "Bob", text: "" },
  ]);
});

Deno.test("HistoryStore.append() tells refs apart that differ after a zero", () => {
  using store = openHistory();

  const appended = store.history.append(["a\0b", "a\0c", "a"].map((ref) => say("A", "x", { ref })));

  assertEquals(appended.map(({ id }) => id), [1, 2, 3]);
});

testWith(FILES, "HistoryStore goes on where it was after a restart", () => {
  const folder = Deno.makeTempDirSync();
  {
    using store = openHistory(`${folder}/chat.db`);
    store.history.append([say("Anna", "a", { ref: "1" }), say("Anna", "b")]);
    store.history.disown();
    store.history.append([say("Anna", "c", { ref: "1" })]);
  }

  using store = openHistory(`${folder}/chat.db`);
  const again = store.history.append([say("Anna", "c", { ref: "1" }), say("Anna", "d")]);

  assertEquals(again, [{ id: 3, repeated: true }, { id: 4, repeated: false }]);
  store.database.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("HistoryStore never uses an id again, even if a message was removed by hand", () => {
  using store = openHistory();
  store.history.append([say("Anna", "a"), say("Anna", "b")]);
  store.database.prepare("DELETE FROM messages").run();

  assertEquals(store.history.append([say("Anna", "c")]), [{ id: 3, repeated: false }]);
});
