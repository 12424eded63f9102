import { assert, assertEquals, assertGreater } from "@std/assert";
import { spy } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { AccountStore } from "../../../lib/store/account_store.ts";
import { AUTH_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { type Database, openDatabase } from "../../../lib/store/database.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { stubClock } from "../../support/turns.ts";

const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };
const PASSWORD = "correct horse";

/** Accounts over a database, and a clock that a test turns. */
function accountsOver(database: Database, clock = stubClock()) {
  const accounts = new AccountStore(database, new SessionStore(database), { params: CHEAP });
  /** Tries to log in and tells "ok", the code, or how long to wait. */
  const attempt = async (name: string, password: string, address: string) => {
    const result = await accounts.authenticate(name, password, address);
    return "token" in result ? "ok" : result.retryAfterMs ?? result.code;
  };
  const dispose = () => {
    clock[Symbol.dispose]();
    database.close();
  };
  return { database, accounts, clock, attempt, [Symbol.dispose]: dispose };
}

type Store = ReturnType<typeof accountsOver>;

/** Accounts for Anna, whose id is 1, and Eve. */
async function openAccounts(): Promise<Store> {
  const store = accountsOver(openDatabase(":memory:", { migrations: AUTH_MIGRATIONS }));
  for (const name of ["Anna", "Eve"]) await store.accounts.register(name, PASSWORD);
  return store;
}

/** What a server that starts again knows: what is in the database. */
function restart({ database, clock }: Store): Store {
  return accountsOver(database, clock);
}

Deno.test("AccountStore.authenticate() slows failures on a name, wherever they come from, known or not", async () => {
  using store = await openAccounts();
  const { attempt, clock } = store;

  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
    assertEquals(await attempt("Anna", "wrong horse", address), "bad_credentials");
  }

  assertEquals(await attempt("ANNA", PASSWORD, "10.0.0.4"), 1_000);
  assertEquals(await attempt("Eve", PASSWORD, "10.0.0.1"), "ok");
  clock.ms += 1_000;
  assertEquals(await attempt("Anna", "wrong horse", "10.0.0.5"), 1_000);
  assertEquals(await attempt("Anna", "wrong horse", "10.0.0.4"), "bad_credentials");
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.5"), 2_000);
  for (let i = 0; i < 3; i++) await attempt("Nobody", "wrong horse", `10.0.1.${i}`);
  assertEquals(await attempt("Nobody", "wrong horse", "10.0.1.9"), 1_000);
});

Deno.test("AccountStore.authenticate() slows failures from an address or an IPv6 network, whatever the name", async () => {
  using store = await openAccounts();
  const { attempt } = store;

  for (let failure = 0; failure < 20; failure++) {
    assertEquals(await attempt(`n${failure}`, "wrong horse", "10.0.0.1"), "bad_credentials");
  }

  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.1"), 1_000);
  assertEquals(await attempt("Anna", PASSWORD, "10.0.0.2"), "ok");
  for (let i = 0; i < 20; i++) {
    assertEquals(await attempt(`Nobody${i}`, "wrong horse", `2001:db8::${i}`), "bad_credentials");
  }
  assertEquals(await attempt("Eve", PASSWORD, "2001:db8::ffff"), 1_000);
  assertEquals(await attempt("Eve", PASSWORD, "2001:db8:0:1::1"), "ok");
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

const ATTACKS: Record<string, [name: string, address: string]> = {
  "elsewhere": ["Anna", "10.0.0.9"],
  "beside, by another name": ["Eve", "10.0.0.1"],
};

for (const [where, [name, address]] of Object.entries(ATTACKS)) {
  Deno.test(`AccountStore.authenticate() lets in who waits while it is guessed ${where}`, async () => {
    using store = await openAccounts();
    const { attempt, clock } = store;
    for (let i = 0; i < 25; i++) await attempt(`n${i}`, PASSWORD, address);
    const pollUntil = async (ms: number) => {
      for (; clock.ms < ms; clock.ms += 50) await attempt(name, "wrong horse", address);
    };
    await pollUntil(120_000);

    let result: string | number = 0;
    for (let tries = 0; tries < 4 && typeof result === "number"; tries++) {
      await pollUntil(clock.ms + result + 150);
      result = await attempt("Anna", PASSWORD, "10.0.0.1");
    }

    assertEquals(result, "ok");
  });
}

const PROOFS: Record<string, (store: Store) => unknown> = {
  "registered": (store) => store.accounts.register("Vera", PASSWORD, "2001:db8::1"),
  "logged in": (store) => store.accounts.authenticate("Anna", PASSWORD, "2001:db8::1"),
  "showed a token": (store) => store.accounts.familiar(1, "2001:db8::1"),
};

for (const [how, prove] of Object.entries(PROOFS)) {
  Deno.test(`AccountStore lets a name in, after a restart too, where it ${how}`, async () => {
    using store = await openAccounts();
    const { attempt } = restart(store);
    const name = how === "registered" ? "Vera" : "Anna";
    await prove(store);

    for (let guess = 0; guess < 9; guess++) await attempt(name, "wrong horse", `10.0.0.${guess}`);
    for (let guess = 0; guess < 30; guess++) await attempt(`n${guess}`, PASSWORD, "2001:db8::2");

    assertGreater(await attempt(name, PASSWORD, "2001:db8:0:1::1"), 0);
    assertGreater(await attempt("Eve", PASSWORD, "2001:db8::1"), 0);
    assertEquals(await attempt(name, PASSWORD, "2001:db8::3"), "ok");
    for (let guess = 0; guess < 3; guess++) await attempt(name, "wrong horse", "2001:db8::3");
    assertGreater(await attempt(name, PASSWORD, "2001:db8::3"), 0);
  });
}

Deno.test("AccountStore remembers the last 16 networks of an account, whatever the clock says", async () => {
  using store = await openAccounts();
  for (let network = 0; network <= 16; network++) {
    using _time = new FakeTime(network < 16 ? Date.UTC(2030, 1, network) : Date.UTC(2026));
    store.accounts.familiar(1, `10.0.0.${network}`);
  }

  for (let guess = 0; guess < 3; guess++) await store.attempt("Anna", "wrong horse", "10.0.1.1");

  assertEquals(await store.attempt("Anna", PASSWORD, "10.0.0.0"), 1_000);
  for (const network of [1, 16]) {
    assertEquals(await store.attempt("Anna", PASSWORD, `10.0.0.${network}`), "ok");
  }
});
