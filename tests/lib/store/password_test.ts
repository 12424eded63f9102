import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { stub } from "@std/testing/mock";
import {
  hashPassword,
  isPassword,
  needsRehash,
  verifyPassword,
} from "../../../lib/store/password.ts";

const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };

// From the tests of the reference implementation, github.com/P-H-C/phc-winner-argon2.
const KNOWN =
  "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

function phc(costs: string, salt = "c29tZXNhbHQ", hash = KNOWN.split("$")[5]): string {
  return `$argon2id$v=19$${costs}$${salt}$${hash}`;
}

Deno.test("hashPassword() gives a PHC string with the default costs", async () => {
  const hash = await hashPassword("correct horse");

  assertMatch(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert(await verifyPassword("correct horse", hash));
});

Deno.test("hashPassword() salts each hash", async () => {
  assertNotEquals(await hashPassword("same", CHEAP), await hashPassword("same", CHEAP));
});

Deno.test("hashPassword() refuses costs out of limits", async () => {
  for (const wrong of [{ memoryKiB: 7 }, { memoryKiB: 262_145 }, { passes: 0 }, { passes: 1.5 }]) {
    await assertRejects(
      () => hashPassword("x", { ...CHEAP, ...wrong }),
      RangeError,
      "out of limits",
    );
  }
});

Deno.test("verifyPassword() agrees with the reference implementation", async () => {
  assertEquals(await verifyPassword("password", KNOWN), true);
  assertEquals(await verifyPassword("Password", KNOWN), false);
});

Deno.test("verifyPassword() knows a password in any normal form", async () => {
  const hash = await hashPassword("caf\u00e9 caf\u00e9", CHEAP);

  assertEquals(await verifyPassword("cafe\u0301 cafe\u0301", hash), true);
  assertEquals(await verifyPassword("cafe cafe", hash), false);
});

Deno.test("verifyPassword() refuses malformed and hostile hashes and computes nothing", async () => {
  using derive = stub(crypto.subtle, "deriveBits", () => Promise.reject(new Error("computed")));
  const hostile = [
    "",
    "$argon2id$",
    KNOWN.replace("argon2id", "argon2i"),
    KNOWN.replace("v=19", "v=16"),
    ` ${KNOWN}`,
    `${KNOWN}\n`,
    `${KNOWN}=`,
    phc("m=4294967295,t=2,p=1"),
    phc("m=262145,t=2,p=1"),
    phc("m=256,t=17,p=1"),
    phc("m=256,t=2,p=5"),
    phc("m=8,t=2,p=2"),
    phc("m=0,t=2,p=1"),
    phc("m=-8,t=2,p=1"),
    phc("m=1e3,t=2,p=1"),
    phc("m=0256,t=2,p=1"),
    phc("t=2,m=256,p=1"),
    phc("m=256,t=2"),
    phc("m=256,t=2,p=1", "c2FsdA"),
    phc("m=256,t=2,p=1", "c29tZXNhbA"),
    phc("m=256,t=2,p=1", "c29tZXNhbHQ", "nf65"),
    phc("m=256,t=2,p=1", "c29tZXNhbHQ", "A".repeat(100)),
    phc("m=256,t=2,p=1", "c29tZXNhbHQa6"),
  ];

  for (const text of hostile) {
    const error = await assertRejects(() => verifyPassword("password", text));
    assertInstanceOf(error, Deno.errors.InvalidData, text);
    assertThrows(() => needsRehash(text));
  }

  assertEquals(derive.calls.length, 0);
});

Deno.test("needsRehash() asks for a stronger hash and never for a weaker one", () => {
  const rehash = (memoryKiB: number, passes: number) =>
    needsRehash(KNOWN, { memoryKiB, passes, parallelism: 1 });

  assertEquals([rehash(257, 2), rehash(256, 3), rehash(512, 4)], [true, true, true]);
  assertEquals([rehash(256, 2), rehash(255, 2), rehash(256, 1)], [false, false, false]);
  assertEquals([rehash(512, 1), rehash(128, 4)], [false, false]);
});

Deno.test("isPassword() takes 8 to 256 characters, counted after normalisation", () => {
  assertEquals(["1234567", "12345678"].map(isPassword), [false, true]);
  assertEquals(isPassword("ﬃ".repeat(7)), false);
  assertEquals(["x".repeat(256), "x".repeat(257)].map(isPassword), [true, false]);
  assertEquals(["🔑".repeat(7), "🔑".repeat(256)].map(isPassword), [false, true]);
  assertEquals(["e\u0301".repeat(7), "e\u0301".repeat(256)].map(isPassword), [false, true]);
  assertEquals(isPassword("12345678\ud800"), false);
});

Deno.test("verifyPassword() compares all of a hash, and knows hashes of other lengths", async () => {
  const hash = (length: number) =>
    `$argon2id$v=19$m=8,t=1,p=1$${"A".repeat(22)}$${"A".repeat(length)}`;
  const phc = await hashPassword("correct horse", CHEAP);
  const last = phc.at(-2) === "A" ? "B" : "A";

  assertEquals(
    await verifyPassword("correct horse", `${phc.slice(0, -2)}${last}${phc.at(-1)}`),
    false,
  );
  assertEquals(await verifyPassword("correct horse", hash(22)), false);
  assertEquals(await verifyPassword("correct horse", hash(86)), false);
});
