import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { IdentityStore } from "../../../lib/store/identity_store.ts";
import { testInFolder } from "../../support/permissions.ts";

/** Runs a test with the path of a file that does not exist yet, in a folder of its own. */
function testStore(name: string, fn: (path: string) => Promise<void>): void {
  testInFolder(name, async (folder) => {
    await fn(`${folder}/data/identities.json`);
  });
}

/** How many names a file holds. */
function sizeOf(path: string): number {
  return Object.keys(JSON.parse(Deno.readTextFileSync(path))).length;
}

testStore("IdentityStore.remember() stores names that a restart finds", async (path) => {
  const store = await IdentityStore.open(path);
  assertEquals(store.get("10.0.0.1"), undefined);

  const stored = store.remember("10.0.0.1", "Anna");

  assertEquals(store.get("10.0.0.1"), undefined, "only once the file holds it");
  assertEquals([await stored, store.get("10.0.0.1")], ["Anna", "Anna"]);
  const again = await IdentityStore.open(path);
  assertEquals([sizeOf(path), again.get("10.0.0.1")], [1, "Anna"]);
});

testStore("IdentityStore.remember() leaves a name that is stored, and gives it", async (path) => {
  const [store, other] = [await IdentityStore.open(path), await IdentityStore.open(path)];
  await store.remember("::1", "Anna");

  assertEquals(await store.remember("::1", "Ann"), "Anna");
  assertEquals(await other.remember("::1", "hello"), "Anna");
  assertEquals([store.get("::1"), other.get("::1")], ["Anna", "Anna"]);
  assertEquals((await IdentityStore.open(path)).get("::1"), "Anna");
});

testStore("IdentityStore.find() knows what another store has stored or cleared", async (path) => {
  const [store, other] = [await IdentityStore.open(path), await IdentityStore.open(path)];
  await store.remember("::1", "Anna");

  assertEquals(await other.find("0::1"), "Anna");
  assertEquals(await other.clear(), 1);
  assertEquals([await store.find("::1"), await store.find("::2")], ["Anna", undefined]);
  assertEquals(await store.find("::1"), undefined);
});

testStore("IdentityStore reads its file only when it was changed", async (path) => {
  const store = await IdentityStore.open(path);
  await store.remember("::1", "Anna");
  const { readFile } = Deno;
  using reads = stub(Deno, "readFile", (...args) => readFile(...args));
  const findAll = () => Promise.all(["::1", "::2", "::3"].map((each) => store.find(each)));

  assertEquals(await findAll(), ["Anna", undefined, undefined]);
  await store.remember("::2", "Bob");
  assertEquals(await findAll(), ["Anna", "Bob", undefined]);
  assertEquals(reads.calls.length, 0);
  await Deno.writeTextFile(path, '{"::1":"Anna","::3":"Carl"}');
  assertEquals(await findAll(), ["Anna", "Bob", "Carl"]);

  assertEquals(reads.calls.length, 1);
  assertEquals(await findAll(), ["Anna", undefined, "Carl"]);
});

testStore("IdentityStore stores 64 names of an IPv6 network", async (path) => {
  const store = await IdentityStore.open(path);
  const remember = (address: string) => store.remember(address, "Anna");
  const neighbours = Array.from({ length: 70 }, (_, i) => `2001:db8::${i}:0`);

  const stored = await Promise.all(neighbours.map(remember));

  assertEquals(stored.filter((name) => name !== null).length, 64);
  assertEquals(await remember("2001:db8::ffff"), null);
  assertEquals([await remember(neighbours[0]!), sizeOf(path)], ["Anna", 64]);
  assertEquals([await remember("2001:db8:0:1::1"), await remember("10.0.0.1")], ["Anna", "Anna"]);
  await store.clear();
  assertEquals(await remember("2001:db8::ffff"), "Anna");
});

testStore("IdentityStore stores 10,000 names, and uses a file that has more", async (path) => {
  const store = await IdentityStore.open(path);
  await store.remember("::1", "Anna");
  const names = Array.from({ length: 20_000 }, (_, i) => [`10.0.${i >> 8}.${i & 255}`, "Bob"]);
  await Deno.writeTextFile(path, JSON.stringify(Object.fromEntries(names)));

  assertEquals([await store.find("10.0.78.31"), sizeOf(path)], ["Bob", 20_000]);
  {
    using _rename = stub(Deno, "rename", () => Promise.reject(new Error("written")));
    assertEquals(await store.remember("::1", "Anna"), null);
  }
  assertEquals(await store.remember("10.0.0.1", "Bo"), "Bob");
  assertEquals(await store.clear(), 20_000);
  assertEquals(await store.remember("::1", "Anna"), "Anna");
});

testStore("IdentityStore says what to do about a file edited into nonsense", async (path) => {
  const store = await IdentityStore.open(path);
  await store.remember("::1", "Anna");
  await Deno.writeTextFile(path, "nonsense");
  const advice = `${path}: it is not JSON in UTF-8. Mend the file, or move it away`;

  await assertRejects(() => store.find("::2"), Error, `Cannot read identity file ${advice}`);
  await assertRejects(() => store.clear(), Error, `Cannot write identity file ${advice}`);
  await assertRejects(() => store.remember("::2", "Bob"), Error, "it is not JSON");
  assertEquals(await Deno.readTextFile(path), "nonsense");
  assertEquals([store.get("::1"), store.get("::2")], ["Anna", undefined]);
  await Deno.remove(path);
  assertEquals([await store.find("::1"), await store.clear()], ["Anna", 1]);
});

testStore("IdentityStore refuses a link in place of its file", async (path) => {
  const store = await IdentityStore.open(path);
  await store.remember("::1", "Anna");
  await Deno.rename(path, `${path}.elsewhere`);
  await Deno.symlink(`${path}.elsewhere`, path);
  const text = await Deno.readTextFile(path);

  for (
    const use of [() => IdentityStore.open(path), () => store.find("::2"), () => store.clear()]
  ) {
    await assertRejects(use, Error, `${path}: it is a symbolic link`);
  }
  assertEquals(await Deno.readTextFile(path), text);
});

testStore("IdentityStore.remember() writes what a person can read and edit", async (path) => {
  const store = await IdentityStore.open(path);

  await store.remember("::ffff:10.0.0.1", "Анна");
  await store.remember("::1", "Bob");

  for (const address of ["10.0.0.1", "::FFFF:a00:1"]) assertEquals(store.get(address), "Анна");
  const text = await Deno.readTextFile(path);
  assertEquals(text, '{\n  "10.0.0.1": "Анна",\n  "::1": "Bob"\n}\n');
  await Deno.writeTextFile(path, '\ufeff{"0:0::1":"Bo","::ffff:10.0.0.1":"Äda"}');
  const edited = await IdentityStore.open(path);
  assertEquals([edited.get("::1"), edited.get("10.0.0.1")], ["Bo", "Äda"]);
});

testStore("IdentityStore.remember() knows no name that it could not write", async (path) => {
  const store = await IdentityStore.open(path);
  {
    using _full = stub(Deno, "rename", () => Promise.reject(new Error("No space left")));
    await assertRejects(() => store.remember("10.0.0.1", "Anna"), Error, "No space left");
  }

  assertEquals(store.get("10.0.0.1"), undefined);
});

testStore("IdentityStore.remember() loses nothing when many write at once", async (path) => {
  const store = await IdentityStore.open(path);
  const addresses = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`);
  const { rename } = Deno;
  const later: Promise<string | null>[] = [];
  using writes = stub(Deno, "rename", async (from, to) => {
    await rename(from, to);
    if (later.length > 0) return;
    for (const address of ["::1", "::2"]) later.push(store.remember(address, "late"));
  });

  await Promise.all(addresses.map((address, index) => store.remember(address, `n${index}`)));
  await Promise.all(later);

  assertEquals(writes.calls.length, 2);
  const again = await IdentityStore.open(path);
  assertEquals(sizeOf(path), 102);
  assertEquals(again.get("10.0.0.42"), "n42");
});

testStore("IdentityStore.remember() keeps what another store and a person wrote", async (path) => {
  const stores = [await IdentityStore.open(path), await IdentityStore.open(path)];
  const all = Array.from({ length: 50 }, (_, i) => [`10.0.0.${i}`, `n${i}`] as const);

  await Promise.all(
    all.map(([address, name], i) => stores[i % 2]!.remember(address, name)),
  );
  assertEquals(sizeOf(path), 50);

  await Deno.writeTextFile(path, '{"::1":"Anna"}');
  await stores[0]!.remember("::2", "Bob");
  await Deno.remove(path);
  await stores[0]!.remember("::3", "Carl");
  const again = await IdentityStore.open(path);
  const known = (store: IdentityStore) => ["::1", "::2", "::3"].map((each) => store.get(each));
  assertEquals([known(again), sizeOf(path)], [["Anna", "Bob", "Carl"], 3]);
  assertEquals(known(stores[0]!), ["Anna", "Bob", "Carl"]);
});

testStore("IdentityStore.clear() forgets all in its turn", async (path) => {
  const store = await IdentityStore.open(path);

  await Promise.all([store.remember("::1", "a"), store.clear(), store.remember("::2", "b")]);

  assertEquals([store.get("::1"), store.get("::2")], [undefined, "b"]);
  assertEquals(sizeOf(path), 1);
});

testStore("IdentityStore.remember() changes nothing when the disk is full", async (path) => {
  const store = await IdentityStore.open(path);
  await store.remember("::1", "Anna");
  const full = stub(Deno.FsFile.prototype, "write", () => Promise.reject(new Error("No space")));

  const [again, other] = [store.remember("::1", "Eve"), store.remember("::2", "Bob")];
  for (const change of [again, other]) {
    await assertRejects(() => change, Error, `Cannot write identity file ${path}: No space`);
  }
  await assertRejects(() => store.clear(), Error, "No space");
  full.restore();

  assertEquals([store.get("::1"), store.get("::2")], ["Anna", undefined]);
  assertEquals((await IdentityStore.open(path)).get("::1"), "Anna");
  await store.remember("::2", "Bob");
  assertEquals(sizeOf(path), 2);
});

testStore("IdentityStore.remember() rejects when the folder cannot be made", async (path) => {
  const store = await IdentityStore.open(path);
  await Deno.writeTextFile(path.replace("/identities.json", ""), "a file, where a folder must be");

  await assertRejects(() => store.remember("::1", "Anna"), Error, "Cannot write identity file");

  assertEquals(store.get("::1"), undefined);
});

testStore("IdentityStore.remember() refuses what is no name", async (path) => {
  const store = await IdentityStore.open(path);

  for (const name of ["", "An na", "\x1b[2J", " Anna", "x".repeat(33)]) {
    await assertRejects(() => store.remember("::1", name), TypeError, "not valid");
  }
});

testStore("IdentityStore keeps names and addresses that objects have", async (path) => {
  const store = await IdentityStore.open(path);
  assertEquals(store.get("__proto__"), undefined);
  assertEquals(store.get("constructor"), undefined);

  await store.remember("__proto__", "__proto__");

  const again = await IdentityStore.open(path);
  assertEquals(again.get("__proto__"), "__proto__");
  assertEquals(again.get("toString"), undefined);
});

async function openAt(now: number, ...args: Parameters<typeof IdentityStore.open>) {
  using _time = new FakeTime(now);
  return await IdentityStore.open(...args);
}

const CORRUPT = ["", "{", "[]", "null", '{"::1": 7}', '{"::1": "\\u001b[2J"}', '"\xff', "\x1b[2J"];

for (const [index, text] of CORRUPT.entries()) {
  testStore(`IdentityStore.open() sets corrupt file ${index + 1} aside`, async (path) => {
    await Deno.mkdir(path.replace("/identities.json", ""));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0)); // Latin-1
    await Deno.writeFile(path, bytes);
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);

    const store = await openAt(Date.UTC(2026, 1, 3, 4, 5, 6), path, onNotice);
    await store.remember("::1", "Anna");

    const aside = `${path}.corrupt-2026-02-03T04-05-06.000Z`;
    assertEquals(await Deno.readFile(aside), bytes);
    assertEquals(notices.length, 1);
    assertStringIncludes(notices[0]!, `${path} is corrupt (`);
    assertStringIncludes(notices[0]!, `moved to ${aside}`);
    assertEquals(notices[0]!.includes("\x1b"), false);
    assertEquals((await IdentityStore.open(path, onNotice)).get("::1"), "Anna");
    assertEquals(notices.length, 1);
  });
}

testStore("IdentityStore.open() never overwrites a file set aside before", async (path) => {
  await Deno.mkdir(path.replace("/identities.json", ""));
  for (const text of ["first", "second", "third"]) {
    await Deno.writeTextFile(path, text);
    await openAt(0, path);
  }

  const aside = `${path}.corrupt-1970-01-01T00-00-00.000Z`;
  const found = [aside, `${aside}-2`, `${aside}-3`].map((file) => Deno.readTextFileSync(file));
  assertEquals(found, ["first", "second", "third"]);
});

testStore("IdentityStore.open() rejects when it can neither read nor set aside", async (path) => {
  await Deno.mkdir(path, { recursive: true });
  await assertRejects(() => IdentityStore.open(path), Error, "Cannot read identity file");
  await Deno.remove(path);
  await Deno.writeTextFile(path, "corrupt");
  using _rename = stub(Deno, "rename", () => Promise.reject(new Error("Read-only")));

  await assertRejects(() => IdentityStore.open(path), Error, "Cannot set aside the corrupt");

  assertEquals(await Deno.readTextFile(path), "corrupt");
});
