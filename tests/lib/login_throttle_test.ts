import { assert, assertEquals } from "@std/assert";
import { spy } from "@std/testing/mock";
import { ACCOUNTS_SCHEMA, AccountStore } from "../../lib/account_store.ts";
import { openDatabase } from "../../lib/database.ts";

const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };
const PASSWORD = "correct horse";

/** Accounts for Anna and Eve, and a clock that a test turns. */
async function openAccounts() {
  const database = openDatabase(":memory:", { migrations: [ACCOUNTS_SCHEMA] });
  const clock = { ms: 0 };
  const accounts = new AccountStore(database, { params: CHEAP, now: () => clock.ms });
  for (const name of ["Anna", "Eve"]) await accounts.register(name, PASSWORD);
  /** Tries to log in and tells "ok", the code, or how long to wait. */
  const attempt = async (name: string, password: string, address: string) => {
    const result = await accounts.authenticate(name, password, address);
    return result.ok ? "ok" : result.retryAfterMs ?? result.code;
  };
  return { accounts, clock, attempt, [Symbol.dispose]: () => database.close() };
}

Deno.test("AccountStore.authenticate() slows failures on a name, wherever they come from", async () => {
  using store = await openAccounts();
  const { attempt, clock } = store;

  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
    assertEquals(await attempt("Anna", "wrong horse", address), "bad_credentials");
  }

  assertEquals(await attempt("ANNA", PASSWORD, "10.0.0.4"), 1_000);
  assertEquals(await attempt("Eve", PASSWORD, "10.0.0.1"), "ok");
  clock.ms += 1_000;
  assertEquals(await attempt("Anna", "wrong horse", "10.0.0.5"), "bad_credentials");
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.6"), 2_000);
});

Deno.test("AccountStore.authenticate() slows failures on unknown names alike", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let failure = 0; failure < 3; failure++) {
    await attempt("Nobody", "wrong horse", "10.0.0.1");
  }

  assertEquals(await attempt("Nobody", "wrong horse", "10.0.0.2"), 1_000);
});

Deno.test("AccountStore.authenticate() slows failures from an address, whatever the name", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let failure = 0; failure < 20; failure++) {
    assertEquals(await attempt(`n${failure}`, "wrong horse", "10.0.0.1"), "bad_credentials");
  }

  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), 1_000);
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.2"), "ok");
});

Deno.test("AccountStore.authenticate() does not forgive an address for its own account", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let failure = 0; failure < 20; failure++) {
    assertEquals(await attempt(`n${failure}`, "wrong horse", "10.0.0.1"), "bad_credentials");
    if (failure % 5 === 0) assertEquals(await attempt("Eve", PASSWORD, "10.0.0.1"), "ok");
  }

  assertEquals(await attempt("n20", "wrong horse", "10.0.0.1"), 1_000);
});

Deno.test("AccountStore.authenticate() forgets a name's failures when it logs in", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let round = 0; round < 3; round++) {
    await attempt("Anna", "wrong horse", "10.0.0.1");
    await attempt("Anna", "wrong horse", "10.0.0.1");
    assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), "ok");
  }
});

Deno.test("AccountStore.authenticate() counts guesses in flight", async () => {
  using store = await openAccounts();
  using derive = spy(crypto.subtle, "deriveBits");

  const guesses = Array.from(
    { length: 50 },
    (_, index) => store.attempt("Anna", `wrong horse ${index}`, "10.0.0.1"),
  );

  const results = await Promise.all(guesses);
  assertEquals(results.filter((result) => result === "bad_credentials").length, 3);
  assertEquals(results.filter((result) => result === 1_000).length, 47);
  assertEquals(derive.calls.length, 3);
});

Deno.test("AccountStore.authenticate() never locks a name for more than 30 seconds", async () => {
  using store = await openAccounts();
  const { attempt, clock } = store;
  for (let failure = 0; failure < 12; failure++) {
    const waitMs = await attempt("Anna", "wrong horse", `10.0.0.${failure}`);
    if (typeof waitMs === "number") clock.ms += waitMs;
  }

  for (let guess = 0; guess < 100; guess++) await attempt("Anna", "guess again", "10.0.1.1");
  const waitMs = await attempt("Anna", PASSWORD, "10.0.0.200");

  assert(typeof waitMs === "number" && waitMs > 0 && waitMs <= 30_000);
  clock.ms += waitMs;
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.200"), "ok");
});

Deno.test("AccountStore.authenticate() lets a name in where it has been, whoever guesses elsewhere", async () => {
  using store = await openAccounts();
  const { attempt } = store;
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), "ok");

  for (let guess = 0; guess < 9; guess++) await attempt("Anna", "wrong horse", `10.0.1.${guess}`);

  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.2"), 1_000);
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), "ok");
  for (let guess = 0; guess < 3; guess++) await attempt("Anna", "wrong horse", "10.0.0.1");
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), 1_000);
});

Deno.test("AccountStore.authenticate() counts the addresses of one IPv6 network as one", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let i = 0; i < 20; i++) {
    assertEquals(await attempt(`Nobody${i}`, "wrong horse", `2001:db8::${i}`), "bad_credentials");
  }

  assertEquals(await attempt("Eve", PASSWORD, "2001:db8::ffff"), 1_000);
  assertEquals(await attempt("Eve", PASSWORD, "2001:db8:0:1::1"), "ok");
});
