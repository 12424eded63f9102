import { assert, assertEquals } from "@std/assert";
import { spy } from "@std/testing/mock";
import { ACCOUNTS_SCHEMA, AccountStore } from "../../../lib/store/account_store.ts";
import { openDatabase } from "../../../lib/store/database.ts";
import { LoginThrottle } from "../../../lib/store/login_throttle.ts";

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

/** A throttle in which Anna has logged in from her network, and was then guessed at from elsewhere. */
function afterGuesses(prepare: (throttle: LoginThrottle) => void): LoginThrottle {
  const throttle = new LoginThrottle(() => 0);
  throttle.succeeded("anna", "2001:db8::1");
  prepare(throttle);
  for (let guess = 0; guess < 3; guess++) throttle.begin("anna", `10.0.0.${guess}`);
  return throttle;
}

Deno.test("LoginThrottle knows the owner of a name by the network", () => {
  const throttle = afterGuesses(() => {});

  assertEquals(throttle.waitMs("anna", "2001:db8::2"), 0);
  assertEquals(throttle.waitMs("anna", "2001:db8:0:1::1"), 1_000);
});

Deno.test("LoginThrottle.forgetFamiliar() knows nobody any more", () => {
  const throttle = afterGuesses((throttle) => throttle.forgetFamiliar());

  assertEquals(throttle.waitMs("anna", "2001:db8::1"), 1_000);
});

Deno.test("LoginThrottle remembers the last 10,000 owners", () => {
  const others = Array.from({ length: 9_999 }, (_, index) => `user ${index}`);
  const logIn = (throttle: LoginThrottle, names: string[]) => {
    for (const name of names) throttle.succeeded(name, "10.0.0.1");
  };

  const all = afterGuesses((throttle) => logIn(throttle, others));
  const tooMany = afterGuesses((throttle) => logIn(throttle, [...others, "one more"]));
  const again = afterGuesses((throttle) => {
    logIn(throttle, others);
    throttle.succeeded("anna", "2001:db8::1");
    throttle.succeeded("one more", "10.0.0.1");
  });

  const waits = [all, tooMany, again].map((throttle) => throttle.waitMs("anna", "2001:db8::1"));
  assertEquals(waits, [0, 1_000, 0]);
});
