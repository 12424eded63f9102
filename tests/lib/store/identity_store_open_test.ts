import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { IdentityStore } from "../../../lib/store/identity_store.ts";
import { FILES, testWith } from "../../support/permissions.ts";

/** Runs a test with the path of a file that does not exist yet, in a folder of its own. */
function testStore(name: string, fn: (path: string) => Promise<void>): void {
  testWith(FILES, name, async () => {
    const folder = await Deno.makeTempDir();
    await fn(`${folder}/data/identities.json`);
    await Deno.remove(folder, { recursive: true });
  });
}

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
