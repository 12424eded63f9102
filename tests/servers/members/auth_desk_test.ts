import { assert, assertEquals } from "@std/assert";
import { AccountStore } from "../../../lib/store/account_store.ts";
import { openDatabase } from "../../../lib/store/database.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { AuthDesk, type Session } from "../../../servers/members/auth_desk.ts";
import { AUTH_MIGRATIONS } from "../../../servers/authentication.ts";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { CHEAP } from "../../support/chat_server.ts";

function openDesk() {
  const database = openDatabase(":memory:", { migrations: AUTH_MIGRATIONS });
  const accounts = new AccountStore(database, { params: CHEAP });
  return {
    desk: new AuthDesk(accounts, new SessionStore(database)),
    database,
    [Symbol.dispose]: () => database.close(),
  };
}

function isSession(outcome: object | null): outcome is Session {
  return outcome !== null && "token" in outcome;
}

Deno.test("AuthDesk.register() begins a session, and refuses by values", async () => {
  using open = openDesk();
  const { desk } = open;

  const anna = await desk.register("Straße", PASSWORD);
  const again = await desk.register("STRASSE", PASSWORD);

  assert(isSession(anna) && !isSession(again));
  assertEquals([anna.name, anna.key, anna.revoked], ["Straße", "strasse", false]);
  assertEquals(again.code, "name_taken");
  assertEquals(desk.nameOf("strasse"), "Straße");
  assertEquals([desk.nameOf("nobody"), desk.nameOf("no name!")], [undefined, undefined]);
});

Deno.test("AuthDesk.resume() gives a session of its own for each use of a token", async () => {
  using open = openDesk();
  const { desk } = open;
  const first = await desk.register("Anna", PASSWORD);
  assert(isSession(first));

  const second = desk.resume(first.token);

  assertEquals(second, first);
  assert(second !== first);
  assertEquals(desk.resume("garbage"), null);
});

Deno.test("AuthDesk.logOut() revokes the sessions of the token and no others", async () => {
  using open = openDesk();
  const { desk } = open;
  const first = await desk.register("Anna", PASSWORD);
  const other = await desk.logIn("Anna", PASSWORD, "10.0.0.1");
  assert(isSession(first) && isSession(other));
  const second = desk.resume(first.token)!;
  const gone = desk.resume(first.token)!;
  desk.leave(gone);

  desk.logOut(second);

  assertEquals([first, second, gone, other].map((s) => s.revoked), [true, true, false, false]);
  assertEquals(desk.resume(first.token), null);
  assert(desk.resume(other.token));
});

Deno.test("AuthDesk.logOut() ends no session whose token could not be revoked", async () => {
  using open = openDesk();
  const session = await open.desk.register("Anna", PASSWORD);
  assert(isSession(session));
  open.database.close();

  try {
    open.desk.logOut(session);
  } catch {
    // That storage is broken is for the caller to tell.
  }

  assertEquals(session.revoked, false);
});

Deno.test("AuthDesk.clear() forgets everybody, and ends every session", async () => {
  using open = openDesk();
  const { desk } = open;
  const sessions = [await desk.register("Anna", PASSWORD), await desk.register("Bob", PASSWORD)];

  assertEquals(desk.clear(), 2);

  for (const session of sessions) {
    assert(isSession(session) && session.revoked);
    assertEquals(desk.resume(session.token), null);
  }
  assert(isSession(await desk.register("Anna", PASSWORD)));
});
