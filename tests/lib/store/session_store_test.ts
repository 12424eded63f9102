import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { spy } from "@std/testing/mock";
import { openDatabase } from "../../../lib/store/database.ts";
import { AUTH_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { StorageError } from "../../../lib/store/storage_error.ts";
import { stubClock } from "../../support/turns.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const START = Date.UTC(2026, 0, 1);
const ANNA = { id: 1, name: "Anna" };
const BOB = { id: 2, name: "Bob" };

/** Sessions for Anna and Bob, and a clock that a test turns. */
function openSessions() {
  const database = openDatabase(":memory:", { migrations: AUTH_MIGRATIONS });
  const clock = stubClock(START);
  const sessions = new SessionStore(database);
  const insert = database.prepare("INSERT INTO accounts (key, name, hash) VALUES (?, ?, '')");
  for (const { name } of [ANNA, BOB]) insert.run(name.toLowerCase(), name);
  const create = (account: { id: number; name: string }) =>
    database.transaction(() => sessions.create(account));
  const count = () => Number(database.prepare("SELECT count(*) AS n FROM sessions").get()!["n"]);
  const dispose = () => {
    clock[Symbol.dispose]();
    database.close();
  };
  return { database, sessions, create, clock, count, [Symbol.dispose]: dispose };
}

Deno.test("SessionStore.create() gives 32 random bytes in base64url, another each time", () => {
  using store = openSessions();

  const [first, second] = [store.create(ANNA), store.create(ANNA)];

  assertMatch(first.token, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(Uint8Array.fromBase64(first.token, { alphabet: "base64url" }).length, 32);
  assertNotEquals(first.token, second.token);
  assertEquals(first, { ...second, token: first.token });
  assertEquals(first.expiresAt, START + 7 * DAY_MS);
  assertEquals(store.sessions.resume(first.token), { ...first, accountId: 1, name: "Anna" });
  assertThrows(() => store.create({ id: 3, name: "Eve" }), Error, "FOREIGN KEY");
});

Deno.test("SessionStore.create() deletes the token of an account that was unused for longest when there are 32", () => {
  using store = openSessions();
  const { sessions, clock } = store;
  const tokens = Array.from({ length: 32 }, () => store.create(ANNA).token);
  const bobs = store.create(BOB).token;
  clock.ms += MINUTE_MS;
  sessions.resume(tokens[0]!);

  tokens.push(store.create(ANNA).token, store.create(ANNA).token);

  const valid = tokens.map((token) => sessions.resume(token) !== null);
  assertEquals(valid.flatMap((isValid, i) => isValid ? [] : [i]), [1, 2]);
  assert(sessions.resume(bobs));
});

Deno.test("SessionStore.resume() gives null for an unknown token, and a malformed one unread", () => {
  using store = openSessions();
  const { token } = store.create(ANNA);
  const other = `${token[0] === "A" ? "B" : "A"}${token.slice(1)}`;
  assertEquals(store.sessions.resume(other), null);
  using find = spy(Object.getPrototypeOf(store.database.prepare("SELECT 1")), "get");
  using write = spy(store.database, "transaction");

  for (
    const text of ["", token.slice(1), `${token}A`, `${token}\n`, "é".repeat(43), "=".repeat(43)]
  ) {
    assertEquals(store.sessions.resume(text), null);
    assertEquals(store.sessions.revoke(text), false);
  }

  assertEquals([find.calls.length, write.calls.length], [0, 0]);
});

Deno.test("SessionStore.resume() lets a token expire 7 days after its last use", () => {
  using store = openSessions();
  const { sessions, clock } = store;
  const { token } = store.create(ANNA);

  clock.ms += 7 * DAY_MS - 1;
  assertEquals(sessions.resume(token)?.expiresAt, clock.ms + 7 * DAY_MS);
  clock.ms += 7 * DAY_MS - 1;
  assert(sessions.keepAlive(token));
  clock.ms += 7 * DAY_MS - 1;
  assert(sessions.resume(token));
  clock.ms += 7 * DAY_MS;
  assertEquals(sessions.resume(token), null);
  store.create(BOB);
  assertEquals(store.count(), 1, "the expired one is deleted");
});

Deno.test("SessionStore lets a token expire 30 days after the login, used or not", () => {
  using store = openSessions();
  const { sessions, clock } = store;
  const { token } = store.create(ANNA);

  for (let day = 1; day < 30; day++) {
    clock.ms += DAY_MS;
    const session = day % 2 ? sessions.resume(token) : sessions.keepAlive(token);
    assertEquals(session?.expiresAt, START + Math.min(day + 7, 30) * DAY_MS);
  }

  clock.ms = START + 30 * DAY_MS;
  assertEquals([sessions.resume(token), sessions.keepAlive(token)], [null, null]);
});

Deno.test("SessionStore.resume() writes at most once a minute, and tells the truth meanwhile", () => {
  using store = openSessions();
  const { sessions, clock, database } = store;
  const { token, expiresAt } = store.create(ANNA);
  using write = spy(database, "transaction");

  clock.ms += MINUTE_MS - 1;
  assertEquals(sessions.resume(token)?.expiresAt, expiresAt);
  assertEquals(write.calls.length, 0);
  clock.ms += 1;
  for (let use = 0; use < 10; use++) {
    assertEquals(sessions.resume(token)?.expiresAt, expiresAt + MINUTE_MS);
  }

  assertEquals(write.calls.length, 1);
});

Deno.test("SessionStore.revoke() ends one session", () => {
  using store = openSessions();
  const { sessions } = store;
  const [first, second] = [store.create(ANNA), store.create(ANNA)];

  assertEquals(sessions.revoke(first.token), true);
  assertEquals(sessions.revoke(first.token), false);

  assertEquals([sessions.resume(first.token), sessions.keepAlive(first.token)], [null, null]);
  assert(sessions.resume(second.token));
});

Deno.test("SessionStore throws a StorageError where storage is broken", () => {
  const { sessions, create, database } = openSessions();
  const { token } = create(ANNA);
  database.close();

  assertThrows(() => sessions.resume(token), StorageError);
  assertThrows(() => sessions.keepAlive(token), StorageError);
  assertThrows(() => sessions.revoke(token), StorageError);
});
