import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { IdentityStore } from "../../../lib/store/identity_store.ts";
import { changeFile, lockFile } from "../../../lib/store/private_file.ts";
import { PROCESSES, testInFolder, testWith } from "../../support/permissions.ts";

function replaceFile(path: string, text: string): Promise<void> {
  return changeFile(path, () => Promise.resolve(text));
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

testInFolder("changeFile() makes the folder and a file for its owner only", async (folder) => {
  const path = `${folder}/deep/er/file`;

  await replaceFile(path, "Füße");

  assertEquals(await Deno.readTextFile(path), "Füße");
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  if (Deno.build.os !== "windows") {
    assertEquals((await Deno.stat(`${folder}/deep/er`)).mode! & 0o777, 0o700);
  }
  assertEquals(names(`${folder}/deep/er`), ["file"]);
});

testInFolder("changeFile() writes it all when the disk takes one byte a call", async (folder) => {
  const write = Deno.FsFile.prototype.write;
  const oneByte = stub(Deno.FsFile.prototype, "write", function (this: Deno.FsFile, bytes) {
    return write.call(this, bytes.subarray(0, 1));
  });

  await replaceFile(`${folder}/file`, "hello").finally(() => oneByte.restore());

  assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
});

testInFolder(
  "changeFile() puts the new file in place only after it is on the disk",
  async (folder) => {
    const calls: string[] = [];
    const { sync } = Deno.FsFile.prototype;
    const { rename } = Deno;
    using _sync = stub(Deno.FsFile.prototype, "sync", function (this: Deno.FsFile) {
      calls.push("sync");
      return sync.call(this);
    });
    using _rename = stub(Deno, "rename", (from, to) => {
      calls.push("rename");
      return rename(from, to);
    });

    await replaceFile(`${folder}/file`, "hello");

    const ofFolder = Deno.build.os === "windows" ? [] : ["sync"];
    assertEquals(calls, ["sync", "rename", ...ofFolder]);
  },
);

for (const step of ["write", "sync", "rename"] as const) {
  testInFolder(
    `changeFile() leaves the old file and no other when ${step} fails`,
    async (folder) => {
      await replaceFile(`${folder}/file`, "old");
      const fail = () => Promise.reject(new Error("No space left on device"));
      const failing = step === "rename"
        ? stub(Deno, "rename", fail)
        : stub(Deno.FsFile.prototype, step, fail);

      await assertRejects(() => replaceFile(`${folder}/file`, "new"), Error, "No space left");

      failing.restore();
      assertEquals(await Deno.readTextFile(`${folder}/file`), "old");
      assertEquals(names(folder), ["file"]);
    },
  );
}

const NO_LOCKS = () => Promise.reject(new Error("No locks available"));
const LACKS: Record<string, (folder: string) => Disposable> = {
  "locked": () => stub(Deno.FsFile.prototype, "lock", NO_LOCKS),
  "opened": (folder) => {
    const { open } = Deno;
    const denied = () => Promise.reject(new Deno.errors.PermissionDenied());
    return stub(Deno, "open", (path, ...rest) => path === folder ? denied() : open(path, ...rest));
  },
  "synced": () => {
    const { sync } = Deno.FsFile.prototype;
    let calls = 0;
    return stub(Deno.FsFile.prototype, "sync", function (this: Deno.FsFile) {
      return calls++ === 0 ? sync.call(this) : Promise.reject(new Error("Invalid argument"));
    });
  },
};

for (const [what, make] of Object.entries(LACKS)) {
  testInFolder(`changeFile() changes a file whose folder cannot be ${what}`, async (folder) => {
    using _lack = make(folder);

    await replaceFile(`${folder}/file`, "hello");

    assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
  });
}

testInFolder(
  "changeFile() lets each of many at once change what the last one wrote",
  async (folder) => {
    const path = `${folder}/file`;
    await replaceFile(path, "");
    const add = (text: string) =>
      changeFile(path, async () => await Deno.readTextFile(path) + text);

    await Promise.all(["1", "2", "3"].map(add));

    assertEquals([...await Deno.readTextFile(path)].sort(), ["1", "2", "3"]);
    assertEquals(names(folder), ["file"]);
  },
);

testWith(PROCESSES, "A named pipe in place of a file is refused, and not waited for", async () => {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.makeTempDir();
  const [names, lock] = [`${folder}/names.json`, `${folder}/chat.db.lock`];
  new Deno.Command("mkfifo", { args: [names, lock] }).outputSync();

  assertThrows(() => lockFile(`${folder}/chat.db`), Error, `${lock} is not a file. Move it away`);
  await assertRejects(() => IdentityStore.open(names), Error, "it is not a file. Move it away");
  await Deno.remove(folder, { recursive: true });
});
