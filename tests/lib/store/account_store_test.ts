import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spy, stub } from "@std/testing/mock";
import { AccountStore, type AccountStoreOptions } from "../../../lib/store/account_store.ts";
import { AUTH_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { keyOfText } from "../../../lib/chat/name.ts";
import { type Database, openDatabase } from "../../../lib/store/database.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { hashPassword } from "../../../lib/store/password.ts";
import { stubClock } from "../../support/turns.ts";
import { testInFolder } from "../../support/permissions.ts";

const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };
const PASSWORD = "correct horse";
const HERE = "127.0.0.1";
const WRONG = {
  code: "bad_credentials",
  message: "The name or the password is wrong",
} as const;

function openAccounts(options: AccountStoreOptions = {}) {
  const database = openDatabase(":memory:", { migrations: AUTH_MIGRATIONS });
  const accounts = new AccountStore(database, new SessionStore(database), {
    params: CHEAP,
    ...options,
  });
  return { database, accounts, [Symbol.dispose]: () => database.close() };
}

/** The name that was let in, or the code of the refusal. */
function outcomeOf(result: object): unknown {
  return "name" in result ? result.name : "code" in result && result.code;
}

function isIn(result: object): boolean {
  return "token" in result;
}

function hashOf(database: Database, key: string): string {
  return String(database.prepare("SELECT hash FROM accounts WHERE key = ?").get(key)?.hash);
}

Deno.test("AccountStore.authenticate() lets in who knows the password, by any spelling", async () => {
  using store = openAccounts();
  assertEquals(outcomeOf(await store.accounts.register(" Ｓtraße ", "correct horse")), "Straße");

  for (const name of ["Straße", "STRASSE", " ｓtraße "]) {
    const result = await store.accounts.authenticate(name, "correct horse", HERE);
    assertEquals(outcomeOf(result), "Straße");
  }
  assertEquals(await store.accounts.authenticate("Straße", "correct Horse", HERE), WRONG);
});

Deno.test("AccountStore.register() refuses bad names, weak passwords and taken names", async () => {
  using store = openAccounts();
  const code = async (name: string, password: string) => {
    const result = await store.accounts.register(name, password);
    return "token" in result ? "ok" : result.code;
  };

  assertEquals(await code("An na", "long enough"), "bad_name");
  assertEquals(await code("Anna", "short"), "weak_password");
  assertEquals(await code("Anna", "x".repeat(257)), "weak_password");
  assertEquals(await code("Anna", "long enough"), "ok");
  assertEquals(await code("ANNA", "another one"), "name_taken");
  assertEquals(await code("ANNA", ""), "name_taken"); // So a client learns it before its user chooses a password.
  assertEquals(await code("__proto__", "long enough"), "ok");
});

Deno.test("AccountStore.register() gives a name to exactly one of many at once", async () => {
  using store = openAccounts();
  const { accounts } = store;
  const passwords = Array.from({ length: 10 }, (_, index) => `password ${index}`);

  const results = await Promise.all(passwords.map((password) => accounts.register("A", password)));

  const winners = passwords.filter((_, index) => isIn(results[index]!));
  assertEquals(winners.length, 1);
  assert(results.every((result) => isIn(result) || outcomeOf(result) === "name_taken"));
  assert(isIn(await accounts.authenticate("a", winners[0]!, HERE)));
});

Deno.test("AccountStore.authenticate() does no work for what cannot be a password", async () => {
  using store = openAccounts();
  await store.accounts.register("Anna", "correct horse");
  using derive = spy(crypto.subtle, "deriveBits");

  for (const name of ["Anna", "Nobody"]) {
    assertEquals(await store.accounts.authenticate(name, "x".repeat(100_000), HERE), WRONG);
  }

  assertEquals(derive.calls.length, 0);
});

Deno.test("AccountStore.authenticate() makes the hash again when the costs rise", async () => {
  using store = openAccounts();
  const { accounts, database } = store;
  const stronger = new AccountStore(database, new SessionStore(database), {
    params: { ...CHEAP, memoryKiB: 16, passes: 2 },
  });
  await accounts.register("Anna", "correct horse");

  await stronger.authenticate("Anna", "wrong horse", HERE);
  assertStringIncludes(hashOf(database, "anna"), "$m=8,t=1,p=1$");
  assert(isIn(await stronger.authenticate("Anna", "correct horse", HERE)));
  const risen = hashOf(database, "anna");
  assertStringIncludes(risen, "$m=16,t=2,p=1$");

  assert(isIn(await accounts.authenticate("Anna", "correct horse", HERE)));
  assertEquals(hashOf(database, "anna"), risen);
});

Deno.test("AccountStore makes two hashes at a time and turns away beyond the queue", async () => {
  using store = openAccounts({ maxWaiting: 1 });
  const { deriveBits } = crypto.subtle;
  const release = Promise.withResolvers<void>();
  const [running, peak] = [{ now: 0 }, { most: 0 }];
  using _derive = stub(crypto.subtle, "deriveBits", async (...args) => {
    peak.most = Math.max(peak.most, ++running.now);
    await release.promise;
    running.now--;
    return await deriveBits.apply(crypto.subtle, args);
  });

  const queued = ["a", "b", "c"].map((name) => store.accounts.register(name, "long enough"));
  const refused = [
    await store.accounts.register("d", "long enough"),
    await store.accounts.authenticate("a", "long enough", HERE),
  ];
  release.resolve();

  assertEquals((await Promise.all(queued)).map(isIn), [true, true, true]);
  for (const result of refused) {
    assertEquals("token" in result ? "" : [result.code, result.retryAfterMs], ["throttled", 1_000]);
  }
  assertEquals(peak.most, 2);
  assert(isIn(await store.accounts.authenticate("a", "long enough", HERE)));
});

Deno.test("AccountStore.register() makes no more accounts from an address than it may, others do not wait", async () => {
  using clock = stubClock();
  using store = openAccounts({ maxPerAddress: 2 });
  const register = async (name: string, address: string) => {
    const result = await store.accounts.register(name, "correct horse", address);
    return "token" in result ? "ok" : result.retryAfterMs ?? result.code;
  };

  assertEquals(await register("A", "2001:db8::1"), "ok");
  assertEquals(await register("A", "2001:db8::1"), "name_taken");
  assertEquals(await register("B", "2001:db8::2"), "ok");
  assertEquals(await register("C", "2001:db8::3"), 10_000);
  assertEquals(await register("C", "10.0.0.1"), "ok");
  clock.ms += 10_000;
  assertEquals(await register("D", "2001:db8::3"), "ok");
  assertEquals(await register("E", "2001:db8::3"), 10_000);
});

Deno.test("AccountStore.register() counts nobody who was turned away because it is busy", async () => {
  using store = openAccounts({ maxWaiting: 0, maxPerAddress: 3 });
  const { accounts } = store;
  const register = async (name: string) => isIn(await accounts.register(name, "long enough", HERE));

  const atOnce = await Promise.all(["a", "b", "c", "d"].map(register));

  assertEquals(atOnce, [true, true, false, false]);
  assertEquals([await register("c"), await register("d")], [true, false]);
});

Deno.test("AccountStore.register() keeps out names that look like one that is taken", async () => {
  using store = openAccounts();
  const register = async (name: string) => {
    const result = await store.accounts.register(name, PASSWORD);
    return "token" in result ? "ok" : result.code;
  };

  const both = await Promise.all([register("Copa"), register("Сора")]);

  assertEquals(both.toSorted(), ["name_taken", "ok"]);
  assertEquals(await register("COPA"), "name_taken");
  assertEquals(await register("Copal"), "ok");
  assertEquals(await register("-"), "bad_name");
});

testInFolder(
  "Accounts made before there were rules for their names keep working, and keep look-alikes out",
  async (folder) => {
    const path = `${folder}/auth.db`;
    const names = ["-", "3", "Notice", "Аnna", "Anna", "Сора"];
    {
      using old = openDatabase(path, { migrations: AUTH_MIGRATIONS.slice(0, 2) });
      const hash = await hashPassword(PASSWORD, CHEAP);
      for (const name of names) {
        old.prepare("INSERT INTO accounts (key, name, hash) VALUES (?, ?, ?)")
          .run(keyOfText(name), name, hash);
      }
    }

    using database = openDatabase(path, { migrations: AUTH_MIGRATIONS });
    const accounts = new AccountStore(database, new SessionStore(database), { params: CHEAP });

    for (const name of names) {
      const result = await accounts.authenticate(name, PASSWORD, HERE);
      assertEquals([outcomeOf(result), accounts.find(name)?.name], [name, name]);
    }
    const taken = await accounts.register("Copa", PASSWORD);
    assertEquals(outcomeOf(taken), "name_taken");
  },
);

const RAISED = { memoryKiB: 64, passes: 3, parallelism: 1 };

for (const [how, before, after] of [["rise", CHEAP, RAISED], ["fall", RAISED, CHEAP]] as const) {
  Deno.test(`AccountStore.authenticate() works as much for every refusal when the parameters ${how}`, async () => {
    using store = openAccounts({ params: before });
    await store.accounts.register("Anna", PASSWORD);
    const accounts = new AccountStore(store.database, new SessionStore(store.database), {
      params: after,
    });
    const work: number[] = [];

    for (const name of ["Anna", "Nobody", "no name at all", ""]) {
      using derive = spy(crypto.subtle, "deriveBits");
      assertEquals(await accounts.authenticate(name, "wrong horse", HERE), WRONG);
      const costs = derive.calls.map(({ args }) => args[0] as unknown as Record<string, number>);
      work.push(costs.reduce((sum, { memory, passes }) => sum + memory! * passes!, 0));
    }

    const most = RAISED.memoryKiB * RAISED.passes;
    for (const each of work) assert(each > most - RAISED.passes && each <= most, `${work}`);
  });
}

for (const [maxPerAddress, atOnce] of [[undefined, 64], [0, 200]] as const) {
  Deno.test(`AccountStore.register() makes ${atOnce} accounts of an address at once`, async () => {
    using _clock = stubClock();
    using store = openAccounts({ ...(maxPerAddress === 0 && { maxPerAddress }) });
    const names = Array.from({ length: atOnce }, (_, i) => `n${i}`);
    const register = (name: string) => store.accounts.register(name, PASSWORD, HERE);

    assertEquals((await Promise.all(names.map(register))).map(outcomeOf), names);
    const late = await register("late");
    assertEquals("token" in late ? 0 : late.retryAfterMs, maxPerAddress === 0 ? 0 : 10_000);
  });
}

for (const taken of [false, true]) {
  const meanwhile = taken ? "whose name was taken" : "who was removed";
  Deno.test(`AccountStore.authenticate() refuses one ${meanwhile} while the hash was made`, async () => {
    using store = openAccounts();
    const { accounts } = store;
    await accounts.register("Anna", PASSWORD);
    const { deriveBits } = crypto.subtle;
    const cleared = Promise.withResolvers<void>();
    using derive = stub(crypto.subtle, "deriveBits", async (...args) => {
      if (derive.calls.length === 0) await cleared.promise;
      return await deriveBits.apply(crypto.subtle, args);
    });

    const result = accounts.authenticate("Anna", PASSWORD, HERE);
    accounts.clear();
    if (taken) assert(isIn(await accounts.register("Anna", "another one")));
    cleared.resolve();

    assertEquals(await result, WRONG);
  });
}

Deno.test("AccountStore.clear() forgets accounts, sessions, what an address may do and where a name is known", async () => {
  using _clock = stubClock();
  using store = openAccounts({ maxPerAddress: 2 });
  const { accounts, database } = store;
  const register = (name: string) => accounts.register(name, PASSWORD, HERE);
  const log = async (password: string, address: string) => {
    const result = await accounts.authenticate("Anna", password, address);
    return "token" in result ? "ok" : result.retryAfterMs ?? result.code;
  };
  assertEquals([isIn(await register("Anna")), isIn(await register("Bob"))], [true, true]);
  assertEquals([isIn(await register("Eve")), await log(PASSWORD, HERE)], [false, "ok"]);

  assertEquals(accounts.clear(), 2);

  assertEquals(database.prepare("SELECT count(*) AS n FROM sessions").get()?.n, 0);
  assertEquals(await log(PASSWORD, HERE), "bad_credentials");
  assertEquals(isIn(await accounts.register("Anna", PASSWORD, "10.0.0.9")), true);
  assertEquals([isIn(await register("B")), isIn(await register("C"))], [true, true]);
  assertEquals(isIn(await register("D")), false);
  for (let guess = 0; guess < 2; guess++) await log("wrong horse", `10.0.0.${guess}`);
  assertEquals(await log(PASSWORD, HERE), 1_000);
});
